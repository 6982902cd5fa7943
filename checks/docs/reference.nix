# docs/reference.md names exactly the outputs of the flake and the variables that its programs read. Where it refers to a table of
# another page, that table is compared.
{ inputs, repositoryFiles, toolchain }:
let
  inherit (builtins) attrNames concatMap concatStringsSep;
  inherit (inputs.self) outputs;
  ofHost = name: attrNames outputs.${name}.${toolchain.tools.system};
  legacyPackages = outputs.legacyPackages.${toolchain.tools.system};
  # NAME of a derivation, or NAME.PART for each part of a set.
  withParts = set: concatMap (name: if set.${name}.type or "" == "derivation" then [ name ] else map (part: "${name}.${part}") (attrNames set.${name})) (attrNames set);

  # The names that a table must have, by DOCUMENT|HEADING|COLUMN.
  tables = {
    "reference.md|# Reference|1" = attrNames outputs;
    "reference.md|## Apps|1" = ofHost "apps";
    "reference.md|## Packages|1" = ofHost "packages";
    "reference.md|## More|1" = withParts legacyPackages;
    "ci.md|## What a green run means|2" = ofHost "checks" ++ attrNames legacyPackages.nightly;
    "lib.md|## In three commands|1" = attrNames (removeAttrs outputs.templates [ "default" ]);
  };
in
toolchain.run "reference"
{
  documents = repositoryFiles "documents" [ "docs" ];
  tables = concatStringsSep "" (concatMap (table: map (name: "${table}|${name}\n") tables.${table}) (attrNames tables));
  # Its scripts in tests/ are in the same table as the checks.
  ci = ../../.ci/run;
  nixw = ../../nixw;
  programs = repositoryFiles "programs" [ "boot/src" "bench/src" "packer/src" "nix" ];
  names = ./reference/names.awk;
  PATH = "${toolchain.tools}/bin";
}
  ./reference/compare.sh
