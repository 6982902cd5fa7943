# A guest that restarts, which ends QEMU and boot.
{ lib }:
lib.mkSystem {
  kernel = lib.mkKernel { };
  initramfs = lib.mkInitramfs {
    init = lib.mkCInit {
      src = builtins.toFile "init.c" ''
        int main(void) {
          write(1, "once more\n", 10);
          reboot(LINUX_REBOOT_CMD_RESTART);
        }
      '';
    };
  };
  # The kernel says it.
  expectAnywhere = "reboot: Restarting system";
}
