# The inits of other architectures make the right system calls, whatever happens to their output, and then sleep. They run as
# processes of the host, in QEMU's user emulation. (init/tests has more tests for the host's own init, with faults that strace
# injects.)
{ guestSystems, target, targets, toolchain }:
let
  isOther = name: targets.${name}.rustTarget != target.rustTarget;
  others = builtins.filter isOther (builtins.attrNames guestSystems);
in
toolchain.run "emulated"
{
  # EMULATOR INIT, for each.
  inits = builtins.concatStringsSep "" (map (name: "qemu-${name} ${guestSystems.${name}.init}/bin/init\n") others);
  PATH = "${toolchain.qemu-user}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "emulated.sh" ''
    # calls RESULT: the system calls of $init, if write gives RESULT. The last does not end, nor does its line.
    calls() { printf 'write(1,ADDRESS,14) = %s\nppoll(0,0,0,0' "$1"; }
    # CPU time of a process in clock ticks: in user mode, in the kernel.
    ticks() { sed 's/.*) //' /proc/$1/stat | cut -d ' ' -f 12,13; }
    # Fails unless what runs in the background makes the system calls of the file `expected`, and sleeps.
    judge() {
      process=$!
      for _ in $(seq 200); do
        ! grep -qs 'ppoll(.*)' log || break
        sleep 0.1
      done
      # PID CALL = RESULT (ERRNO IN WORDS). Without a signal mask, ppoll does not look at more than four arguments.
      sed 's/^[0-9]* //; s/0x[0-9a-f]*/ADDRESS/; s/ (.*)$//; s/^\(ppoll([0-9]*,[0-9]*,[0-9]*,[0-9]*\),.*/\1/' log >found
      diff expected found || { echo "expected (-), made (+)"; exit 1; }
      # A busy machine may take a while to let it go to sleep.
      before= now=$(ticks $process) seconds=0
      until [ "$now" = "$before" ]; do
        [ $seconds != 20 ] || { echo "it does not sleep"; exit 1; }
        sleep 1
        before=$now now=$(ticks $process) seconds=$((seconds + 1))
      done
      kill $process
      wait $process || :
      rm log
    }
    printf %s "$inits" | while read -r emulator init; do
      echo "== $emulator $init"
      calls 14 >expected
      $emulator -strace $init >said 2>log & judge
      [ "$(cat said)" = 'Hello, world!' ]
      calls '-1 errno=28' >expected
      $emulator -strace $init >/dev/full 2>log & judge
      calls '-1 errno=9' >expected
      $emulator -strace $init >&- 2>log & judge
      echo "$emulator $init" >>$out
    done
  '')
