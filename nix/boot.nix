# mkBoot { kernel, initramfs, target }: bin/boot, the runner with a kernel, an initramfs and QEMU as its defaults.
{ program, qemu, runner }:
{ kernel, initramfs, target }:
program "boot" ''
  # What the caller sets comes first, and an option before that.
  export BOOT_TARGET="''${BOOT_TARGET-${target.name}}"
  export BOOT_KERNEL="''${BOOT_KERNEL-${kernel.${target.bootImage}}}"
  export BOOT_INITRD="''${BOOT_INITRD-${initramfs}}"
  PATH=${qemu}/bin:$PATH exec ${runner}/bin/boot "$@"
''
