# The licences of the pinned packages, as their own copyright files tell them: a table of one line for each. `licences.txt` is what
# it was when they were pinned; checks/licences.nix compares.
{ toolchain }:
toolchain.run "licences"
{
  packages = builtins.concatStringsSep "" (builtins.attrValues (builtins.mapAttrs (name: deb: "${name} ${deb}\n") toolchain.debs));
  licence = ./licence.sh;
}
  (builtins.toFile "licences.sh" ''
    printf %s "$packages" | xargs -n 2 -P $NIX_BUILD_CORES sh -e $licence
    sort *.licence >$out
    [ "$(wc -l <$out)" = "$(printf %s "$packages" | wc -l)" ]
  '')
