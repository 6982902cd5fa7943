# Shell text for the checks that boot all systems. It sets these variables for each target:
#
#   boot_TARGET    the runner, with this system as its default
#   kernel_TARGET  the directory with the kernel's images
#   init_TARGET    the program, if the system has one
#   gcc_TARGET     its compiler
{ guestSystems, targets, toolchain }:
let
  inherit (builtins) attrNames concatStringsSep;
  settings = target:
    let
      inherit (guestSystems.${target}) boot kernel;
      inherit (targets.${target}) cc prefix;
    in
    ''
      boot_${target}=${boot}/bin/boot
      kernel_${target}=${kernel}
      ${if guestSystems.${target} ? init then "init_${target}=${guestSystems.${target}.init}/bin/init" else ""}
      gcc_${target}=${toolchain.${cc}}/bin/${prefix}gcc
    '';
in
concatStringsSep "" (map settings (attrNames guestSystems))
