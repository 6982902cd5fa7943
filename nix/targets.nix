# The targets: what a guest is built for, and how. boot/src/machine/target.rs says how a guest runs. With what it is built depends on the
# host: hosts.nix.
builtins.mapAttrs (name: target: target // { inherit name; }) {
  x86_64 = {
    # ARCH of the kernel's build.
    kernelArch = "x86_64";
    # The images, and the paths where the kernel's build writes them. vmlinux boots through PVH.
    kernelImages = {
      vmlinux = "vmlinux";
      bzImage = "arch/x86/boot/bzImage";
    };
    # The image that boots fastest.
    bootImage = "vmlinux";
    # Options of gcc for the small kernel. With -Os, gcc uses `rep stosb` and `rep movsb` for memset and memcpy, and TCG executes one
    # block for each byte of these. Function calls copy eight bytes at a time: 2.4 million blocks instead of 3.0, 2 % of the boot.
    kernelFlags = "-mstringop-strategy=libcall";
    # Its names for rustc and cargo, for gcc, and for Debian.
    rustTarget = "x86_64-unknown-linux-gnu";
    triple = "x86_64-linux-gnu";
    debian = "amd64";
    # Whether only LLD links flat binaries like init. (GNU ld fails: "error: cannot change output format whilst linking AArch64 binaries".)
    needsLld = false;
    # The limit for the size of init, in bytes.
    initSize = 256;
  };

  aarch64 = {
    kernelArch = "arm64";
    kernelImages.Image = "arch/arm64/boot/Image";
    bootImage = "Image";
    rustTarget = "aarch64-unknown-linux-gnu";
    triple = "aarch64-linux-gnu";
    debian = "arm64";
    needsLld = true;
    initSize = 300;
  };

  riscv64 = {
    kernelArch = "riscv";
    kernelImages.Image = "arch/riscv/boot/Image";
    bootImage = "Image";
    rustTarget = "riscv64gc-unknown-linux-gnu";
    triple = "riscv64-linux-gnu";
    debian = "riscv64";
    needsLld = true;
    initSize = 300;
  };

  # User-mode Linux: the kernel is a program of the host, and there is none for other architectures.
  um = {
    isProgram = true;
    hosts = [ "x86_64-linux" ];
    kernelArch = "um";
    kernelImages.linux = "vmlinux";
    bootImage = "linux";
    # The headers in kernel/small save emulated instructions.
    kernelHeaders = "";
    # Options of gcc that link the vDSO: the kernel's own, and -static, because otherwise our gcc writes the path of glibc into it.
    vdsoFlags = "-fPIC -shared -static -Wl,--hash-style=sysv";
    rustTarget = "x86_64-unknown-linux-gnu";
    triple = "x86_64-linux-gnu";
    needsLld = false;
    initSize = 256;
  };
}
