{ lib }:
let
  init = lib.mkCInit { src = builtins.toFile "init.c" "int main(void) { write(1, \"Hi from C!\\n\", 11); for (;;) my_syscall0(__NR_pause); }"; };
  system = lib.mkSystem {
    kernel = lib.mkKernel { };
    initramfs = lib.mkInitramfs { inherit init; files."/etc/motd".text = "welcome\n"; };
    expect = "Hi from C!";
  };
in
lib.mkBootCheck { inherit system; forbid = [ "WARNING" ]; timeout = 120; }
