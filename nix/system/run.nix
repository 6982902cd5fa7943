# mkRun { kernels }: bin/run, a script that runs `boot run` with guests for some targets: a kernel, and an initramfs with the agent. As
# `matrix`, it has bin/matrix, the same for `boot matrix`.
#
#   kernels  by the target's name, a kernel with run.config: the result of mkKernel, or an image
{ toolchain, runner, targets, mkAgent, mkInitramfs }:
{ kernels }:
let
  guest = name: [
    name
    "${kernels.${name}.${targets.${name}.bootImage} or kernels.${name}}"
    # Unpacking 20 KB would take longer than reading them.
    (mkInitramfs { init = "${mkAgent targets.${name}}/bin/agent"; compress = "none"; })
  ];
  guests = toolchain.run "guests"
    {
      guests = builtins.concatMap guest (builtins.attrNames kernels);
      PATH = "${toolchain.tools}/bin";
    }
    (builtins.toFile "guests.sh" ''
      set -- $guests
      while [ $# -gt 0 ]; do
        mkdir -p $out/$1
        ln -s $2 $out/$1/kernel
        ln -s $3 $out/$1/initramfs
        shift 3
      done
    '');

  command = name: toolchain.program name ''
    [ -n "''${BOOT_GUESTS+set}" ] || export BOOT_GUESTS=${guests}
    ${if kernels ? x86_64 then "[ -n \"\${BOOT_QEMU+set}\" ] || export BOOT_QEMU=${toolchain.qemu}/bin/qemu-system-x86_64" else ""}
    exec ${runner}/bin/boot ${name} "$@"
  '';
in
command "run" // { inherit guests kernels; matrix = command "matrix"; }
