# Everything that is booted, and the tools that make it, have the hashes that golden.json records.
{ golden, toolchain }:
toolchain.run "golden" { inherit (golden) file; recorded = ../golden.json; } (builtins.toFile "golden.sh" ''
  diff -U 0 $recorded $file || { echo "recorded (-) is not what is built here (+). If it is meant to change: nix run .#golden"; exit 1; }
  cp $file $out
'')
