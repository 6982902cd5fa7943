# mkCInit { src, linux, flags, libc }: a C file as bin/init, a static program. With nolibc, the headers of a Linux tree take the place of a
# libc, as in the article.
{ toolchain }:
{ src, linux, flags, libc }:
let
  nolibc = "${linux}/tools/include/nolibc";
  own = {
    nolibc = {
      inherit nolibc;
      # No tables for unwinders, no note of the compiler.
      own = "-fno-asynchronous-unwind-tables -fno-ident -nostdlib -include ${nolibc}/nolibc.h";
    };
    # Needs no tree of Linux.
    glibc.own = "";
  };
in
toolchain.run "init"
  (own.${libc} //
  {
    inherit src;
    flags = map toolchain.shellWord flags;
    PATH = "${toolchain.cc}/bin:${toolchain.tools}/bin";
    # A static program refers to nothing.
    allowedReferences = [ ];
  })
  (builtins.toFile "c-init.sh" ''
    mkdir -p $out/bin
    eval "set -- $flags"
    # The name of the file may have lost its .c in the store. What it needs from libraries among the flags comes before them.
    gcc -s -Os -static $own -o $out/bin/init -x c $src -x none "$@" -lgcc
  '')
