# mkBoot { kernel, target, ... }: bin/boot, the runner with a kernel, an initramfs and QEMU as its defaults.
#
#   kernel     what mkKernel gives, or an image
#   initramfs  without it, `--initrd` has to name one
#   cmdline    of the kernel, before what `--append` adds
#   expect     what a script waits for, from a program; or, in its place,
#   expectAnywhere  from a program or the kernel
#   machine, memory: as the options of boot
{ toolchain, runner }:
{ kernel, target, initramfs ? "", expect ? "", expectAnywhere ? "", cmdline ? "", machine ? "", memory ? 0 }:
let
  defaults = {
    TARGET = target.name;
    KERNEL = "${kernel.${target.bootImage} or kernel}";
    INITRD = "${initramfs}";
    CMDLINE = cmdline;
    EXPECT = if expectAnywhere == "" then expect else "";
    EXPECT_ANYWHERE = expectAnywhere;
    MACHINE = machine;
    MEMORY = if memory == 0 then "" else toString memory;
  };
  # What the caller sets comes first, and an option before that. Of the two kinds of text, there is one.
  isSet = name: "\${BOOT_${name}+set}";
  areSet = name: if name == "EXPECT" || name == "EXPECT_ANYWHERE" then isSet "EXPECT" + isSet "EXPECT_ANYWHERE" else isSet name;
  default = name:
    if defaults.${name} == "" then ""
    else "[ -n \"${areSet name}\" ] || export BOOT_${name}=${toolchain.shellWord defaults.${name}}\n";
in
toolchain.program "boot" ''
  ${builtins.concatStringsSep "" (map default (builtins.attrNames defaults))}
  PATH=${toolchain.${target.qemu}}/bin:$PATH exec ${runner}/bin/boot "$@"
''
