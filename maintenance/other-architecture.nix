# { flake }: the inits that an aarch64 host builds from the flake at this URL, by target, each compiled without the shared, compiled
# dependencies: under QEMU these take an hour, and init uses none of them.
{ flake }:
let
  inherit (builtins.getFlake flake) packages;
  alone = name: derivation (packages.aarch64-linux.${name}.drvAttrs // { target = ""; });
in
{
  x86_64 = alone "init-x86_64";
  aarch64 = alone "init";
  riscv64 = alone "init-riscv64";
}
