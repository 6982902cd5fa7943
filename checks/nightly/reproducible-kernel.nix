# A second build of the x86_64 kernel, in the environment of another machine, gives the same bits.
{ products, toolchain, target }:
let kernel = import ../nix/reproducible/kernel.nix { inherit products toolchain; }; in
toolchain.run "reproducible-kernel"
{
  pairs = map (output: "${output}=${products.kernel.${output}}=${kernel.${output}}") ([ "debug" ] ++ builtins.attrNames target.kernelImages);
}
  ../nix/reproducible/compare.sh
