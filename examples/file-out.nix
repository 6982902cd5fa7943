# A guest that passes a file to the host without a disk and a network: it writes the file to the console, as text between two marks.
# The check extracts the file.
{ lib, toolchain, kernel, mkShell }:
let
  system = lib.mkSystem {
    inherit kernel;
    initramfs = mkShell ''
      dmesg -n 1 # the kernel is not to interrupt
      seq 1 10000 | gzip >/result.gz
      echo "== begin =="
      base64 /result.gz
      echo "== end =="
      while :; do sleep 1000; done
    '';
    expect = "== end ==";
  };
in
system // {
  check = toolchain.run "numbers" { inherit (system) check; } (builtins.toFile "numbers.sh" ''
    tr -d '\r' <$check | sed '1,/^== begin ==$/d; /^== end ==$/,$d' | base64 -d | gunzip >$out
    [ "$(tail -n 1 $out)" = 10000 ]
  '');
}
