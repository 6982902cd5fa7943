# mkCInit { src, linux, flags }: a C file as bin/init, a static program with nolibc of a Linux tree in place of a libc, as in the article.
{ toolchain }:
{ src, linux, flags }:
toolchain.run "init"
{
  inherit src;
  flags = map toolchain.shellWord flags;
  nolibc = "${linux}/tools/include/nolibc";
  PATH = "${toolchain.cc}/bin:${toolchain.tools}/bin";
  # A static program refers to nothing.
  allowedReferences = [ ];
}
  (builtins.toFile "c-init.sh" ''
    mkdir -p $out/bin
    # No tables for unwinders, no note of the compiler, no symbols. The name of the file may have lost its .c in the store.
    eval "set -- $flags"
    gcc -fno-asynchronous-unwind-tables -fno-ident -s -Os -nostdlib -static -include $nolibc/nolibc.h "$@" \
      -o $out/bin/init -x c $src -lgcc
  '')
