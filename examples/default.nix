# Guests that do something. Each file gives a system, and may replace the system's check. One without a system has a check alone. One with
# `hasOwnKernel` builds a kernel that nothing else here needs, so that its check is a nightly one.
#
#   nix run .#examples.NAME.boot
#   nix build -L .#examples.NAME.check
{ lib, kernel-full, toolchain }:
let
  # The kernel of the examples that run ordinary programs: that of `boot run`.
  kernel = lib.mkKernel { fragments = [ "unpack" "run" ]; };
  # A script with all of busybox's applets, /proc and /sys, and the files that it needs.
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
  # An initramfs whose /init runs `script`.
  mkShell = script: lib.mkInitramfs { init = mkScript script; files = scriptFiles; };
  environment = { inherit lib toolchain kernel kernel-full mkScript scriptFiles mkShell; };
  load = file:
    let example = import (./. + "/${file}"); in
    { name = builtins.head (builtins.match "(.*)[.]nix" file); value = example (builtins.intersectAttrs (builtins.functionArgs example) environment); };
  # The supervisor makes the system calls of x86-64, and runs on user-mode Linux.
  others = [ "default.nix" ] ++ (if toolchain.host.targets ? um then [ ] else [ "supervisor.nix" ]);
  files = builtins.filter (file: builtins.match ".*[.]nix" file != null && !builtins.elem file others) (builtins.attrNames (builtins.readDir ./.));
in
builtins.listToAttrs (map load files)
