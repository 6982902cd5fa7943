# docs/reference.md, and the pages to which it leaves that, name every output of the flake and every variable that is read, and nothing
# that there is not.
{ inputs, repositoryFiles, toolchain }:
let
  inherit (builtins) attrNames concatMap concatStringsSep;
  inherit (inputs.self) outputs;
  ofHost = name: attrNames outputs.${name}.${toolchain.tools.system};
  # NAME, or NAME.PART for each of its parts.
  withParts = set: concatMap (name: if set.${name}.type or "" == "derivation" then [ name ] else map (part: "${name}.${part}") (attrNames set.${name})) (attrNames set);

  # What is in a table: in which document, below which heading, in which column.
  tables = {
    "reference.md|# Reference|1" = attrNames outputs;
    "reference.md|## Apps|1" = ofHost "apps";
    "reference.md|## Packages|1" = ofHost "packages";
    "reference.md|## More|1" = withParts outputs.legacyPackages.${toolchain.tools.system};
    "ci.md|## What a green run means|2" = ofHost "checks";
    "lib.md|## In three commands|1" = attrNames (removeAttrs outputs.templates [ "default" ]);
  };
in
toolchain.run "reference"
{
  documents = repositoryFiles "documents" [ "docs" ];
  tables = concatStringsSep "" (concatMap (table: map (name: "${table}|${name}\n") tables.${table}) (attrNames tables));
  # The scripts in tests/ are in the same table as these.
  ci = ../../.ci/run;
  nixw = ../../nixw;
  programs = repositoryFiles "programs" [ "boot/src" "bench/src" "packer/src" "nix" ];
  names = ./reference/names.awk;
  PATH = "${toolchain.tools}/bin";
}
  ./reference/compare.sh
