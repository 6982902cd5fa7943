# bin/kernel-loop: builds a kernel from a tree outside of the store, again and again, and boots it: loop.sh.
{ toolchain, mkBoot }:
{ target, initramfs }:
let
  inherit (builtins) attrNames concatStringsSep isList;
  # The variables of make.sh, with those of a kernel of mkKernel. The tree is the caller's.
  environment = import ./environment.nix { inherit toolchain; } { src = ""; inherit target; } // {
    small = target.kernelHeaders or ./small;
    KCFLAGS = target.kernelFlags or "";
    fragments = ./.;
    image = target.kernelImages.${target.bootImage};
    boot = "${mkBoot { kernel = ""; inherit initramfs target; }}/bin/boot";
  };
  text = value: if isList value then concatStringsSep " " (map text value) else "${value}";
in
toolchain.program "kernel-loop" ''
  ${concatStringsSep "" (map (name: "export ${name}=${toolchain.shellWord (text environment.${name})}\n") (attrNames (removeAttrs environment [ "PATH" ])))}
  export PATH=${environment.PATH}:$PATH
  exec ${toolchain.tools}/bin/sh ${./loop.sh} "$@"
''
