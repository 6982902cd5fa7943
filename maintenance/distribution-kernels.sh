#!/bin/sh
# distribution-kernels.sh [PACKAGE...]: runs programs with `boot run --kernel` on Debian's kernels, and prints the table of
# docs/kernels.md. Without arguments, it takes the newest packages of Linux 6.1 and 6.12 that apt knows. apt downloads them, by its own
# configuration; the script unpacks them, and installs nothing. It needs no root privileges.
#
# BOOT_RUN names a command in place of the flake's `run`. .ci/run does not run this script, because it needs Debian's apt and a network.
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# newest SERIES KIND: the newest package of this series of Linux.
newest() {
  apt-cache search --names-only "^linux-image-$(echo "$1" | sed 's/[.]/[.]/g')[.][^-]*(-[0-9]+)?-$2\$" | cut -d ' ' -f 1 | sort -V | tail -n 1
}
if [ $# = 0 ]; then
  for series in 6.1 6.12; do
    for kind in amd64 cloud-amd64; do
      package=$(newest $series $kind)
      [ -n "$package" ] || { echo "apt knows no $kind kernel of Linux $series; run apt-get update, or name packages" >&2; exit 2; }
      set -- "$@" "$package"
    done
  done
fi
if [ -z "${BOOT_RUN-}" ]; then
  (cd "$repository" && ./nixw build --no-link .#run) </dev/null
  BOOT_RUN=$(cd "$repository" && ./nixw eval --raw .#run </dev/null)/bin/run
fi

# tried STATUS ARGUMENT...: "yes" if `boot run` with these arguments has this status, otherwise "no", and what it wrote on stderr.
tried() {
  wanted=$1 status=0
  shift
  # shellcheck disable=SC2086 # a command with arguments
  $BOOT_RUN --kernel "$kernel" --accel tcg --timeout 300 "$@" </dev/null >"$scratch/out" 2>"$scratch/err" || status=$?
  if [ $status = "$wanted" ]; then
    echo yes
  else
    { echo "$package: $*: exit status $status, and not $wanted"; sed 's/^/  | /' "$scratch/out" "$scratch/err"; } >&2
    echo no
  fi
}
# All of these words are "yes".
all() { case " $* " in *" no "*) echo no ;; *) echo yes ;; esac; }

echo "| package | without \`--pack\` | with \`--pack\` | with \`--net\` | with \`--init\` | seconds |"
echo "| --- | --- | --- | --- | --- | --- |"
# The connection is refused, but by the host.
# shellcheck disable=SC2016 # bash in the guest expands it
refused='[[ $( (exec 3<>/dev/tcp/10.0.2.2/1) 2>&1) == *refused* ]]'
for package; do
  directory=$scratch/$package
  mkdir "$directory"
  (cd "$directory" && apt-get -qq download "$package" && dpkg-deb -x ./*.deb .) 2>"$scratch/err" || {
    cat "$scratch/err" >&2
    echo "$package: cannot be downloaded and unpacked; apt-cache search linux-image lists the packages" >&2
    exit 2
  }
  kernel=$(echo "$directory"/boot/vmlinuz-*)
  files=$(all "$(tried 0 -- true)" "$(tried 7 -- sh -c 'exit 7')")
  packed=$(all "$(tried 0 --pack -- true)" "$(tried 7 --pack -- sh -c 'exit 7')")
  net=$(tried 0 --pack --net -- bash -c "$refused")
  init=$(tried 7 --init --pack -- sh -c 'exit 7')
  start=$(date +%s.%N)
  tried 0 --pack -- uname -r >/dev/null
  seconds=$(awk -v start="$start" -v end="$(date +%s.%N)" 'BEGIN { printf "%.1f", end - start }')
  [ "$(cat "$scratch/out")" = "${kernel##*/vmlinuz-}" ] || echo "$package: uname -r says $(cat "$scratch/out")" >&2
  echo "| $package | $files | $packed | $net | $init | $seconds |"
  rm -rf "$directory"
done
