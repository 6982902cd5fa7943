# bin/debug [--init] [BOOT'S OPTIONS] [-- GDB'S OPTIONS]: runs `boot` with gdb attached, which has the symbols of the kernel and of init.
# The guest runs to the kernel's first C function, or with --init to init's first instruction. If gdb is to show the lines of the kernel's
# sources, `lines` is `kernel.lines`.
{ program, gdb, tools }:
{ boot, kernel, init, lines ? null }:
let
  symbols = if lines == null then kernel else lines;
  sources = if lines == null then "" else "-ex 'set substitute-path /linux ${lines.src}'";
in
program "debug" ''
  PATH=${boot}/bin:${gdb}/bin:${tools}/bin:$PATH
  # What the caller sets comes first.
  export BOOT_DEBUG_KERNEL="''${BOOT_DEBUG_KERNEL-${symbols.debug}}"
  init=''${BOOT_DEBUG_INIT-${init.debug}}
  stop=start_kernel
  if [ "''${1-}" = --init ]; then
    stop=_start
    shift
  fi
  directory=$(mktemp -d)
  trap 'kill "$boot" 2>/dev/null; rm -rf "$directory"' EXIT

  own=0
  for word; do
    [ "$word" != -- ] || break
    own=$((own + 1))
  done
  (
    all=$#
    for word; do
      [ "$word" != -- ] || break
      set -- "$@" "$word"
    done
    shift "$all"
    # Ctrl-C is for gdb, and so is what is typed.
    exec setsid boot --gdb="$directory/gdb" "$@" </dev/null
  ) &
  boot=$!
  shift "$own"
  [ "$#" = 0 ] || shift
  until [ -S "$directory/gdb" ]; do
    kill -0 "$boot" 2>/dev/null || { wait "$boot"; exit; }
    sleep 0.05
  done
  # Ctrl-C reaches this shell as well.
  trap : INT
  # QEMU ends at once when gdb kills the guest. gdb would die of SIGPIPE, writing to it.
  status=0
  (
    trap "" PIPE
    # gdb would ask whether that file of symbols is to be read. init's sources are found in the root of the repository.
    exec gdb -q -ex "target remote $directory/gdb" \
      -ex 'set confirm off' -ex "add-symbol-file $init" -ex 'set confirm on' -ex 'set substitute-path /source .' ${sources} \
      -ex "thbreak $stop" -ex continue "$@" "$BOOT_DEBUG_KERNEL"
  ) || status=$?
  # A guest that gdb has let go must not stay.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    kill -0 "$boot" 2>/dev/null || break
    sleep 0.1
  done
  kill "$boot" 2>/dev/null || :
  wait "$boot" || :
  exit "$status"
''
