# What a guest can be, as far as building it goes. How QEMU runs it is in boot/src/target.rs, under the same name.
{
  x86_64 = {
    name = "x86_64";
    # ARCH of the kernel's build.
    kernelArch = "x86_64";
    kernelFragment = ./kernel/x86_64.config;
    # The images, by where the kernel's build leaves them. vmlinux boots through PVH.
    kernelImages = {
      vmlinux = "vmlinux";
      bzImage = "arch/x86/boot/bzImage";
    };
    # The image that boots fastest.
    bootImage = "vmlinux";
    # What rustc and cargo call it.
    rustTarget = "x86_64-unknown-linux-gnu";
  };
}
