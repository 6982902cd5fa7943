# The checks: one for each file in the directories of checks/, by its name. A file is a function of (some of) `environment` and gives
# a derivation that builds if the check passes. The first sentence of a file is the description of its check.
#
# On a host of another architecture than x86-64, some are left out (`onX86`).
#
#   checks   those of `nix flake check`
#   nightly  those in checks/nightly, which build more kernels, and so take many minutes
environment:
let
  inherit (builtins) attrNames concatMap elem filter functionArgs head intersectAttrs length listToAttrs match readDir;
  inherit (import ./meta.nix) describe firstSentence;

  # The guests of these are for x86-64, user-mode Linux or QEMU's machines pc and q35; or they compare the outputs for an x86-64 host
  # with the documents and templates, which are about them.
  onX86 = [
    "bench"
    "bootable"
    "broken"
    "broken-kernels"
    "debug"
    "debug-lines"
    "docs"
    "first-boot"
    "kills"
    "library"
    "matrix"
    "mk-test"
    "other-kernels"
    "reference"
    "report"
    "run"
    "settle"
    "templates"
    "um"
  ];
  isHere = { name, ... }: environment.target.name == "x86_64" || !elem name onX86;

  load = group: name:
    let
      file = ../checks + "/${group}/${name}";
      check = import file;
    in
    {
      name = head (match "(.*)[.]nix" name);
      value = describe { description = firstSentence file; } (check (intersectAttrs (functionArgs check) environment));
    };
  loadAll = group: filter isHere (map (load group) (filter (name: match ".*[.]nix" name != null) (attrNames (readDir (../checks + "/${group}")))));
  groups = filter (name: (readDir ../checks).${name} == "directory") (attrNames (readDir ../checks));
  daily = concatMap loadAll (filter (group: group != "nightly") groups);
  nightly = loadAll "nightly";
in
if length (daily ++ nightly) == length (attrNames (listToAttrs (daily ++ nightly)))
then { checks = listToAttrs daily; nightly = listToAttrs nightly; }
else throw "checks/: two files in different directories have the same name; rename one, because each check needs a name of its own"
