# `boot` gives the right verdict if the kernel has the fault, or if the fault needs another kernel: the nightly rows of checks/boot/broken.nix.
{ products, guestSystems, targets, toolchain, examples, mkBoot }:
import ../boot/broken.nix {
  inherit products guestSystems targets toolchain mkBoot;
  kernels = {
    inherit (import ../nix/reproducible/kernel.nix { inherit products toolchain; }) withoutInitrd;
    userland = examples.power-off.kernel.vmlinux;
  };
}
