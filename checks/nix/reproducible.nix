# What is booted is the same bits however it is built: init, the archive, the initramfs and the kernel are built a second time,
# from scratch and as on another machine (reproducible/elsewhere.sh), and compared. Of the kernels, whose building takes the most
# time, x86_64's; that the others' bits do not depend on the machine, golden.json tells.
{ products, guestSystems, toolchain, target, mkInitramfs }:
let
  inherit (toolchain) run;
  elsewhere = import ./reproducible/elsewhere.nix { inherit toolchain; };

  # Of one system. init is compiled without the dependencies that were compiled for all.
  small = name:
    let
      system = guestSystems.${name};
      init = elsewhere (system.init.drvAttrs // { target = ""; });
      initramfs = elsewhere (mkInitramfs { inherit init; }).drvAttrs;
    in
    [
      "init-${name}=${system.init}/bin/init=${init}/bin/init"
      "initramfs-${name}=${system.initramfs}=${initramfs}"
    ];
  kernel = import ./reproducible/kernel.nix { inherit products toolchain; };
in
run "reproducible"
{
  PATH = "${toolchain.tools}/bin";
  pairs = builtins.concatLists (map small (builtins.attrNames guestSystems))
    ++ map (output: "${output}=${products.kernel.${output}}=${kernel.${output}}") ([ "debug" ] ++ builtins.attrNames target.kernelImages);
} ./reproducible/compare.sh
