# A guest that loads a module of the kernel, module/greeting.c, and removes it again.
{ lib, kernel-full, mkScript, scriptFiles }:
let module = lib.mkModule { src = ./module; kernel = kernel-full; }; in
lib.mkSystem
  {
    kernel = kernel-full;
    machine = "pc";
    initramfs = lib.mkInitramfs {
      init = mkScript ''
        insmod /greeting.ko name=reader
        lsmod
        rmmod greeting
        echo "It is gone."
        poweroff -f
      '';
      files = scriptFiles // { "/greeting.ko" = "${module}/greeting.ko"; };
    };
    # The kernel says it.
    expectAnywhere = "greeting: goodbye, reader";
  } // { hasOwnKernel = true; }
