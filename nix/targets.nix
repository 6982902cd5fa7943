# What a guest can be, as far as building it goes. How QEMU runs it is in boot/src/machine/target.rs, under the same name.
builtins.mapAttrs (name: target: target // { inherit name; }) {
  x86_64 = {
    # ARCH of the kernel's build.
    kernelArch = "x86_64";
    # The images, by where the kernel's build leaves them. vmlinux boots through PVH.
    kernelImages = {
      vmlinux = "vmlinux";
      bzImage = "arch/x86/boot/bzImage";
    };
    # The image that boots fastest.
    bootImage = "vmlinux";
    # What gcc is told for the small kernel. With -Os it has memset and memcpy as `rep stosb` and `rep movsb`, for which TCG executes
    # a block for each byte; as calls they take eight at a time. 2.4 million blocks instead of 3.0, 2 % of the boot.
    kernelFlags = "-mstringop-strategy=libcall";
    # What rustc and cargo call it.
    rustTarget = "x86_64-unknown-linux-gnu";
    # The trees with its gcc and its QEMU, and what the names of the former's programs begin with.
    cc = "cc";
    prefix = "";
    qemu = "qemu";
    # What init may have at most, in bytes.
    initSize = 256;
  };

  aarch64 = {
    kernelArch = "arm64";
    kernelImages.Image = "arch/arm64/boot/Image";
    bootImage = "Image";
    rustTarget = "aarch64-unknown-linux-gnu";
    cc = "cc-aarch64";
    prefix = "aarch64-linux-gnu-";
    qemu = "qemu-aarch64";
    initSize = 300;
  };

  riscv64 = {
    kernelArch = "riscv";
    kernelImages.Image = "arch/riscv/boot/Image";
    bootImage = "Image";
    rustTarget = "riscv64gc-unknown-linux-gnu";
    cc = "cc-riscv64";
    prefix = "riscv64-linux-gnu-";
    qemu = "qemu-riscv64";
    initSize = 300;
  };
}
