# mkBootCheck: a derivation that builds if a program of the system writes `expect` to the console within `timeout` seconds, or a program
# or the kernel writes `expectAnywhere`. It fails if the console has one of the texts in `forbid`, or if the guest fails. The result is
# the console's log. Two more outputs are boot's report and chart.
{ toolchain, targets }:
{ name, system, expect, expectAnywhere, forbid, timeout, accel, options }:
let
  inherit (builtins) concatStringsSep elem;
  # The arguments' texts, or else the system's.
  wanted = if expect + expectAnywhere == "" then system else { inherit expect expectAnywhere; };
  anywhere = wanted.expectAnywhere or "" != "";
  # An option with its value, unless `options` already contain the option.
  default = option: value: if elem option options then [ ] else [ option value ];
in
toolchain.run name
  ({
    outputs = [ "out" "report" "chart" ];
    option = if anywhere then "--expect-anywhere" else "--expect";
    expect = if anywhere then wanted.expectAnywhere else wanted.expect;
    forbid = concatStringsSep "\n" forbid;
    inherit timeout;
    # A second for whatever would go wrong after the text.
    options = map toolchain.shellWord (options ++ default "--settle" "1"
      ++ (if targets.${system.target} ? qemu then [ "--accel" accel ] else [ ]));
    PATH = "${system.boot}/bin:${toolchain.tools}/bin";
  } // (if accel == "kvm" then { requiredSystemFeatures = [ "kvm" ]; } else { }))
  (builtins.toFile "boot-check.sh" ''
    eval "set -- $options"
    boot $option "$expect" --timeout "$timeout" --log log --report $report --chart $chart "$@" </dev/null
    if [ -n "$forbid" ] && grep -F -e "$forbid" log; then
      echo "the console must not say that"
      exit 1
    fi
    cp log $out
  '')
