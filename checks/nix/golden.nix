# Everything that is booted, and the tools that make it, have the hashes that golden.json records.
#
# It records what an x86-64 host builds. A host of another architecture has other tools, whose names a kernel repeats, but it gives the
# same init, archive and initramfs for each target.
{ golden, target, targets, toolchain }:
let
  # LINE of each target that this host has to give as well.
  shared = builtins.toFile "shared.awk" ''
    /^  "/ { here = index(targets, " " substr($1, 2, length($1) - 3) " ") ? $1 : "" }
    here != "" && /^    "(init|archive|initramfs)":/ { sub(/,$/, ""); print here $0 }
  '';
in
if target.name != "x86_64" then
  toolchain.run "golden" { inherit (golden) file; recorded = ../golden.json; inherit shared; targets = builtins.attrNames targets; }
    (builtins.toFile "golden.sh" ''
      for side in recorded file; do
        eval "awk -v targets=' $targets ' -f $shared \$$side" >$side.txt
        [ -s $side.txt ]
      done
      diff -U 0 recorded.txt file.txt || { echo "an x86-64 host builds (-), and this one (+)"; exit 1; }
      cp file.txt $out
    '') else
  toolchain.run "golden" { inherit (golden) file; recorded = ../golden.json; } (builtins.toFile "golden.sh" ''
    diff -U 0 $recorded $file || { echo "recorded (-) is not what is built here (+). If it is meant to change: nix run .#golden"; exit 1; }
    cp $file $out
  '')
