# A second build gives the same bits. init, the archive, the initramfs and the kernel are built again from scratch, in the
# environment of another machine (reproducible/elsewhere.sh), and compared. Of the kernels, which take the most time, only
# x86_64's is built again. golden.json shows that the others do not depend on the machine.
{ products, guestSystems, toolchain, target, mkInitramfs }:
let
  inherit (toolchain) run;
  elsewhere = import ./reproducible/elsewhere.nix { inherit toolchain; };

  # The second builds of one system. init is compiled without the shared, compiled dependencies.
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
