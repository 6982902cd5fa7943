# elsewhere ATTRIBUTES: the derivation with these attributes, its builder's script run as on another machine (elsewhere.sh).
{ toolchain }:
let
  inherit (toolchain) cc check run tools;

  # The order in which directories are read is the file system's.
  reversed = run "reversed" { PATH = "${cc}/bin:${tools}/bin"; source = ./reversed.c; } (builtins.toFile "reversed.sh" ''
    gcc -O2 -Wall -Werror -shared -fPIC -o $out $source
  '');
in
attributes: derivation (attributes // {
  args = [ "-e" ./elsewhere.sh ] ++ builtins.tail attributes.args;
  preload = "${reversed}:${check}/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
})
