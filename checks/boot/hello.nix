# The system boots, and its log has the line from PID 1 exactly once and no errors.
{ products, target, toolchain }:
toolchain.run "hello"
{
  target = target.name;
  cleanLog = ./clean-log.sh;
  PATH = "${products.boot}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "hello.sh" ''
    # A second for whatever would go wrong after the line.
    boot --accel tcg --expect 'Hello, world!' --settle 1 --timeout 120 --log log </dev/null
    sh -e $cleanLog log
    # An x86-64 guest was told how fast its TSC counts, and did not measure that beside the PIT (nix/kernel/small/tsc.h).
    if [ $target = x86_64 ]; then
      grep 'tsc: Detected [0-9.]* MHz processor' log
      if grep PIT log; then exit 1; fi
    fi
    # QEMU ran in its sandbox.
    boot --accel tcg --dry-run | grep -- ' -sandbox on,'
    cp log $out
  '')
