# environment { src, target }: the variables that make.sh needs, for a builder that sources $make.
{ toolchain }:
{ src, target }:
let
  inherit (toolchain) cc kbuild tools;
in
{
  inherit src cc kbuild;
  inherit (target) kernelArch prefix;
  inherit (toolchain.host) library triple;
  vdsoFlags = target.vdsoFlags or "";
  target = target.name;
  targets = builtins.attrNames (import ../targets.nix);
  base = [ ./base.config (./. + "/${target.name}.config") ];
  make = ./make.sh;
  select = ./select.awk;
  checkConfig = ./check-config.sh;
  PATH = "${kbuild}/bin:${toolchain.${target.cc}}/bin:${cc}/bin:${tools}/bin";
}
