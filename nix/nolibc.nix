# nolibc { src }: an init in C with the header-only C library of the kernel's sources, as in the article that this grew out of: a
# peer to measure by.
{ toolchain }:
{ src }:
let inherit (toolchain) cc run tools; in
run "nolibc-init" {
  PATH = "${cc}/bin:${tools}/bin";
  inherit src;
  init = builtins.toFile "init.c" ''
    int main(void) {
      write(1, "Hello, world!\n", 14);
      for (;;)
        sleep(1000);
    }
  '';
} (builtins.toFile "nolibc.sh" ''
  mkdir -p $out/bin
  gcc -Os -static -nostdlib -fno-asynchronous-unwind-tables -I $src/tools/include/nolibc -include nolibc.h -o $out/bin/init $init -lgcc
'')
