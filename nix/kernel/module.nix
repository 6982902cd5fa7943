# mkModule { src, kernel }: modules for `kernel`, a result of mkKernel with CONFIG_MODULES, from the directory `src`, which has a Kbuild
# file (Linux' Documentation/kbuild/modules.rst). The result is a directory with the modules.
{ toolchain, targets }:
{ src, kernel }:
let environment = import ./environment.nix { inherit toolchain; } { inherit (kernel) src; target = targets.${kernel.target}; }; in
toolchain.run "module"
  (environment // {
    inherit (kernel) debug small KCFLAGS;
    module = src;
    config = "${kernel}/config";
    symbols = ./symbols.awk;
    # A module has no paths in it.
    allowedReferences = [ ];
  }) ./module.sh
