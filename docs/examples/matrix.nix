{ lib }:
lib.mkMatrix {
  kernels = {
    small = lib.mkKernel { };
    run = lib.mkKernel { fragments = [ "unpack" "run" ]; };
  };
  initramfs = lib.mkInitramfs {
    init = lib.mkCInit { src = builtins.toFile "init.c" "int main(void) { puts(\"It is me.\"); for (;;) sleep(1000); }"; };
  };
  machines = [ "microvm" "q35" ];
  memories = [ 32 128 ];
  expect = "It is me.";
}
