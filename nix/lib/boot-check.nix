# mkBootCheck { system, expect, expectAnywhere, forbid, timeout }: builds if a program of the system writes `expect` to its console, or
# anybody `expectAnywhere`, within `timeout` seconds, and nobody anything of `forbid`, and the kernel does not panic. The result is
# the console's log.
{ toolchain }:
{ system, expect, expectAnywhere, forbid, timeout }:
let
  # Its own, or the system's.
  wanted = if expect + expectAnywhere == "" then system else { inherit expect expectAnywhere; };
  anywhere = wanted.expectAnywhere or "" != "";
in
toolchain.run "boot-check"
{
  option = if anywhere then "--expect-anywhere" else "--expect";
  expect = if anywhere then wanted.expectAnywhere else wanted.expect;
  forbid = builtins.concatStringsSep "\n" forbid;
  inherit timeout;
  PATH = "${system.boot}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "boot-check.sh" ''
    # TCG, which is the same on every machine. A second for whatever would go wrong after the text.
    boot --accel tcg $option "$expect" --settle 1 --timeout "$timeout" --log log </dev/null
    if [ -n "$forbid" ] && grep -F -e "$forbid" log; then
      echo "the console must not say that"
      exit 1
    fi
    cp log $out
  '')
