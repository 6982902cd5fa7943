# docs/lib.md describes exactly the functions and arguments of the library. Its examples are the files in docs/examples, and they
# build.
{ library, toolchain }:
let
  inherit (builtins) attrNames attrValues concatStringsSep mapAttrs;
  handbook = ../../docs/lib.md;
  examples = ../../docs/examples;

  lines = name: arguments: concatStringsSep "" (map (argument: "${name} ${argument}\n") arguments);
in
toolchain.run "library"
{
  inherit handbook examples;
  there = concatStringsSep "" (attrValues (mapAttrs lines library.arguments));
  # An example gives a derivation, or a set of derivations.
  built = map
    (file: let result = import (examples + "/${file}") { inherit (library) lib; }; in if result ? outPath then result else attrValues result)
    (attrNames (builtins.readDir examples));
}
  (builtins.toFile "library.sh" ''
    # FUNCTION ARGUMENT, as the tables below the headings have them.
    awk '/^## / { name = $2 } name ~ /^mk/ && /^[|] `/ {
      split($0, cell, "|")
      count = split(cell[2], argument, ",")
      for (i = 1; i <= count; i++) { gsub("[` ]", "", argument[i]); print name, argument[i] }
    }' $handbook | sort >described
    printf %s "$there" | sort >there
    diff described there || { echo "docs/lib.md has (-), the library has (+)"; exit 1; }

    awk '/^```/ { shown = $0 == "```nix" ; next } shown' $handbook | sort >shown
    cat $examples/* | sort >examples
    diff shown examples || { echo "docs/lib.md has (-), docs/examples have (+)"; exit 1; }
    for result in $built; do ls -l $result; done | tee $out
  '')
