# The checks: one for each file in checks/, by its name. A file is a function of (some of) `environment` and gives a derivation
# that builds when the check passes.
environment:
let
  load = file:
    let check = import (../checks + "/${file}"); in
    {
      name = builtins.head (builtins.match "(.*)[.]nix" file);
      value = check (builtins.intersectAttrs (builtins.functionArgs check) environment);
    };
in
builtins.listToAttrs (map load (builtins.filter (file: builtins.match ".*[.]nix" file != null) (builtins.attrNames (builtins.readDir ../checks))))
