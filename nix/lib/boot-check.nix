# mkBootCheck { system, expect, forbid, timeout }: builds if the system writes `expect` to its console within `timeout` seconds, and
# nothing of `forbid`, and does not panic. The result is the console's log.
{ toolchain }:
{ system, expect, forbid, timeout }:
toolchain.run "boot-check"
{
  expect = if expect == "" then system.expect else expect;
  forbid = builtins.concatStringsSep "\n" forbid;
  inherit timeout;
  PATH = "${system.boot}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "boot-check.sh" ''
    # TCG, which is the same on every machine. A second for whatever would go wrong after the text.
    boot --accel tcg --expect "$expect" --settle 1 --timeout "$timeout" --log log </dev/null
    if [ -n "$forbid" ] && grep -F -e "$forbid" log; then
      echo "the console must not say that"
      exit 1
    fi
    cp log $out
  '')
