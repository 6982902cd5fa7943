# The checks: one for each file in checks/, by its name. A file is a function of (some of) `environment` and gives a derivation
# that builds when the check passes. The first sentence of a file is the description of its check.
environment:
let
  inherit (import ./meta.nix) describe firstSentence;
  load = file:
    let check = import (../checks + "/${file}"); in
    {
      name = builtins.head (builtins.match "(.*)[.]nix" file);
      value = describe { description = firstSentence (../checks + "/${file}"); } (check (builtins.intersectAttrs (builtins.functionArgs check) environment));
    };
in
builtins.listToAttrs (map load (builtins.filter (file: builtins.match ".*[.]nix" file != null) (builtins.attrNames (builtins.readDir ../checks))))
