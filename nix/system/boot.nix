# mkBoot { kernel, target, ... }: bin/boot, a script that runs the runner with a kernel, an initramfs and QEMU (if the target needs it) as its
# defaults.
#
#   kernel     the result of mkKernel, or an image
#   initramfs  without it, the user must name one with `--initrd`
#   cmdline    the kernel's command line, to which `--append` adds
#   expect     the text from a program that a script waits for, or, in its place,
#   expectAnywhere  the text from a program or the kernel
#   machine, memory: as boot's options of these names
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
  # Options take precedence over the caller's variables, and these over the defaults. A variable for one kind of text replaces the
  # default of both.
  isSet = name: "\${BOOT_${name}+set}";
  areSet = name: if name == "EXPECT" || name == "EXPECT_ANYWHERE" then isSet "EXPECT" + isSet "EXPECT_ANYWHERE" else isSet name;
  default = name:
    if defaults.${name} == "" then ""
    else "[ -n \"${areSet name}\" ] || export BOOT_${name}=${toolchain.shellWord defaults.${name}}\n";
in
toolchain.program "boot" ''
  ${builtins.concatStringsSep "" (map default (builtins.attrNames defaults))}
  ${if target ? qemu then "PATH=${toolchain.${target.qemu}}/bin:$PATH " else ""}exec ${runner}/bin/boot "$@"
''
