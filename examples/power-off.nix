# A guest that does its work and powers the machine off, which ends QEMU and boot.
{ lib }:
lib.mkSystem
  {
    kernel = lib.mkKernel { fragments = [ "userland" ]; };
    machine = "pc"; # the default machine cannot power off
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
  } // { hasOwnKernel = true; }
