# A guest that mounts /proc and /sys, and prints what is in them.
{ lib, kernel, mkShell }:
lib.mkSystem {
  inherit kernel;
  initramfs = mkShell ''
    cat /proc/cmdline /proc/filesystems
    ps
    free
    ls /sys/devices
    echo "That is all."
    while :; do sleep 1000; done
  '';
  expect = "That is all.";
}
