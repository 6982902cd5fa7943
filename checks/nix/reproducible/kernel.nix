# The kernel, built a second time, elsewhere. And in the same directory, as `withoutInitrd`, a vmlinux that cannot read an initramfs,
# for checks/boot/broken.nix: there a dozen of the 560 files are compiled for it.
{ products, toolchain }:
let
  inherit (products.kernel) drvAttrs;
in
import ./elsewhere.nix { inherit toolchain; } (drvAttrs // {
  outputs = drvAttrs.outputs ++ [ "withoutInitrd" ];
  buildKernel = builtins.elemAt drvAttrs.args 1;
  fragmentWithoutInitrd = builtins.toFile "without-initrd.config" ''
    # CONFIG_BLK_DEV_INITRD is not set
    # CONFIG_RD_GZIP is not set
  '';
  args = [
    "-e"
    (builtins.toFile "kernel.sh" ''
      . $buildKernel
      configure $fragments $fragmentWithoutInitrd
      kernel_make vmlinux
      strip -o $withoutInitrd $build/vmlinux
    '')
  ];
})
