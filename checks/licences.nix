# The pinned packages have the licences that nix/toolchain/licences.txt has for them, and they are all from Debian's main archive,
# whose software is free.
{ toolchain, licences }:
toolchain.run "licences-check"
{
  inherit licences;
  recorded = ../nix/toolchain/licences.txt;
  lock = ../nix/toolchain/lock.json;
}
  (builtins.toFile "licences-check.sh" ''
    diff $recorded $licences || {
      echo "what was recorded (-) and what the packages say (+) differ. If it is fine: nix build .#licences, and copy the result there"
      exit 1
    }
    # Where one package's copyright file is another's, that is pinned as well.
    sed -n 's/.*: as //p' $recorded | while read -r other; do grep -q "^$other: " $recorded || { echo "$other: not pinned"; exit 1; }; done
    sed -n 's/.*"path":"\([^"]*\)".*/\1/p' $lock >paths
    [ "$(wc -l <paths)" = "$(wc -l <$recorded)" ]
    if grep -v '^pool/main/' paths; then echo "not in main"; exit 1; fi
    cp $recorded $out
  '')
