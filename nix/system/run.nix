# mkRun { kernels }: bin/run, a script that runs `boot run` with guests for some targets: a kernel, and an initramfs with the agent.
#
#   kernels  by the target's name, a kernel with run.config
{ toolchain, runner, targets, mkAgent, mkInitramfs }:
{ kernels }:
let
  names = builtins.attrNames kernels;
  images = map (name: kernels.${name}.${targets.${name}.bootImage}) names;
  # Unpacking 20 KB would take longer than reading them.
  initramfs = map (name: mkInitramfs { init = "${mkAgent targets.${name}}/bin/agent"; compress = "none"; }) names;
  guests = toolchain.run "guests" { inherit names images initramfs; PATH = "${toolchain.tools}/bin"; } (builtins.toFile "guests.sh" ''
    set -- $images $initramfs
    count=$(echo $names | wc -w)
    for name in $names; do
      mkdir -p $out/$name
      ln -s $1 $out/$name/kernel
      eval ln -s \''${$((count + 1))} $out/$name/initramfs
      shift
    done
  '');
in
toolchain.program "run" ''
  [ -n "''${BOOT_GUESTS+set}" ] || export BOOT_GUESTS=${guests}
  [ -n "''${BOOT_QEMU+set}" ] || export BOOT_QEMU=${toolchain.qemu}/bin/qemu-system-x86_64
  exec ${runner}/bin/boot run "$@"
'' // { inherit guests; }
