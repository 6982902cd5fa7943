# A second build of the kernel, elsewhere. Its output `withoutInitrd` is a vmlinux that cannot read an initramfs, for
# checks/boot/broken.nix. Built in the same directory, that takes only a dozen of the 560 files.
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
