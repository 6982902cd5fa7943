# A guest that does its work and switches its machine off: QEMU ends, and so does boot.
{ lib, kernel }:
lib.mkSystem {
  inherit kernel;
  machine = "pc"; # the small machine has no switch
  initramfs = lib.mkInitramfs {
    init = lib.mkCInit {
      src = builtins.toFile "init.c" ''
        int main(void) {
          write(1, "work is done\n", 13);
          reboot(LINUX_REBOOT_CMD_POWER_OFF);
        }
      '';
    };
  };
  # The kernel says it.
  expectAnywhere = "reboot: Power down";
}
