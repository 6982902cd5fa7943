# elsewhere ATTRIBUTES: the derivation with these attributes, whose script runs in the environment of another machine (elsewhere.sh).
{ toolchain }:
let
  inherit (toolchain) cc check host run tools;

  # Reverses the order of directory entries, which is up to the file system.
  reversed = run "reversed" { PATH = "${cc}/bin:${tools}/bin"; source = ./reversed.c; } (builtins.toFile "reversed.sh" ''
    gcc -O2 -Wall -Werror -shared -fPIC -o $out $source
  '');
in
attributes: derivation (attributes // {
  args = [ "-e" ./elsewhere.sh ] ++ builtins.tail attributes.args;
  preload = "${reversed}:${check}/${host.library}/faketime/libfaketime.so.1";
})
