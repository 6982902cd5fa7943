# mkBootCheck { system, expect, expectAnywhere, forbid, timeout }: a derivation that builds if a program of the system writes `expect` to
# the console within `timeout` seconds, or a program or the kernel writes `expectAnywhere`. It fails if the console has one of the texts
# in `forbid`, or if the kernel panics. The result is the console's log.
{ toolchain, targets }:
{ system, expect, expectAnywhere, forbid, timeout }:
let
  # The arguments' texts, or else the system's.
  wanted = if expect + expectAnywhere == "" then system else { inherit expect expectAnywhere; };
  anywhere = wanted.expectAnywhere or "" != "";
in
toolchain.run "boot-check"
{
  option = if anywhere then "--expect-anywhere" else "--expect";
  expect = if anywhere then wanted.expectAnywhere else wanted.expect;
  # TCG, which is the same on every machine.
  accel = if targets.${system.target} ? qemu then "--accel tcg" else "";
  forbid = builtins.concatStringsSep "\n" forbid;
  inherit timeout;
  PATH = "${system.boot}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "boot-check.sh" ''
    # A second for whatever would go wrong after the text.
    boot $accel $option "$expect" --settle 1 --timeout "$timeout" --log log </dev/null
    if [ -n "$forbid" ] && grep -F -e "$forbid" log; then
      echo "the console must not say that"
      exit 1
    fi
    cp log $out
  '')
