# mkRun { kernels }: bin/run, a script that runs `boot run` with guests for some targets: a kernel, and an initramfs with the agent. As
# `matrix`, it has bin/matrix, the same for `boot matrix`. If there is only one target, it is the default.
#
#   kernels  by the target's name, a kernel with unpack.config and run.config: the result of mkKernel, or an image
{ toolchain, runner, targets, mkAgent, mkInitramfs }:
{ kernels }:
let
  inherit (builtins) attrNames concatMap concatStringsSep filter;
  names = attrNames kernels;

  guest = name: [
    name
    "${kernels.${name}.${targets.${name}.bootImage} or kernels.${name}}"
    # Unpacking 20 KB would take longer than reading them.
    (mkInitramfs { init = "${mkAgent targets.${name}}/bin/agent"; compress = "none"; })
  ];
  guests = toolchain.run "guests"
    {
      guests = concatMap guest names;
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

  # What the caller's variables replace.
  default = name: value: "[ -n \"\${BOOT_${name}+set}\" ] || export BOOT_${name}=${value}";
  # QEMU's path, and not a directory in PATH: the program gets PATH.
  qemu = name: default "QEMU" "${toolchain.${targets.${name}.qemu}}/bin/qemu-system-${name}";
  defaults = [ (default "GUESTS" guests) ]
    ++ map qemu (filter (name: targets.${name} ? qemu) names)
    ++ (if builtins.length names == 1 then map (default "TARGET") names else [ ]);

  command = name: toolchain.program name ''
    ${concatStringsSep "\n" defaults}
    exec ${runner}/bin/boot ${name} "$@"
  '';
in
command "run" // { inherit guests kernels; matrix = command "matrix"; }
