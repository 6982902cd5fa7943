# Guests that do something: each file gives a system, and perhaps a check of its own in place of the system's.
#
#   nix run .#examples.NAME.boot
{ lib, toolchain }:
let
  # One kernel for all that are more than a single program.
  kernel = lib.mkKernel { fragments = [ "userland" "unpack" ]; };
  # A script that has busybox under all its names, /proc and /sys; and what it takes beside itself.
  mkScript = script: toolchain.textFile "script" ''
    #!/bin/busybox sh
    busybox mkdir -p /bin /proc /sys
    busybox mount -t proc proc /proc
    busybox mount -t sysfs sys /sys
    busybox --install -s /bin
    export PATH=/bin PS1='# '
    ${script}
  '';
  scriptFiles = {
    "/bin/busybox" = { source = "${toolchain.busybox}/bin/busybox"; };
    "/dev/null" = { node = "c:1:3"; mode = "0666"; };
    "/dev/ttyS0" = { node = "c:4:64"; };
  };
  # `script` is what /init does.
  mkShell = script: lib.mkInitramfs { init = mkScript script; files = scriptFiles; };
  environment = { inherit lib toolchain kernel mkScript scriptFiles mkShell; };
  load = file:
    let example = import (./. + "/${file}"); in
    { name = builtins.head (builtins.match "(.*)[.]nix" file); value = example (builtins.intersectAttrs (builtins.functionArgs example) environment); };
  files = builtins.filter (file: builtins.match ".*[.]nix" file != null && file != "default.nix") (builtins.attrNames (builtins.readDir ./.));
in
builtins.listToAttrs (map load files)
