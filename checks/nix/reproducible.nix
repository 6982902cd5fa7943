# A second build gives the same bits. init, the archive and the initramfs are built again from scratch, in the environment of another
# machine (reproducible/elsewhere.sh), and compared. The nightly checks do the same with a kernel, which takes minutes.
{ guestSystems, toolchain, mkInitramfs }:
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
in
run "reproducible"
{
  PATH = "${toolchain.tools}/bin";
  pairs = builtins.concatLists (map small (builtins.attrNames guestSystems));
} ./reproducible/compare.sh
