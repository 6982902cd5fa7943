# Each example does what it promises, but for those that need a kernel of their own: checks/nightly/other-kernels.nix.
{ examples, toolchain, hasOwnKernel ? false }:
let inherit (builtins) attrValues filter; in
toolchain.run "examples"
{
  results = map (example: example.check) (filter (example: (example.hasOwnKernel or false) == hasOwnKernel) (attrValues examples));
}
  (builtins.toFile "examples.sh" ''
    [ -n "$results" ]
    for result in $results; do tail -n 5 $result; done | tee $out
  '')
