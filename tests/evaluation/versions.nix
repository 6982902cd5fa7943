# { root }: the packages that have another version for another host, in the repository at this path, a line for each.
{ root }:
let
  inherit (builtins) attrNames attrValues concatMap concatStringsSep filter fromJSON intersectAttrs map readFile;
  locks = map (host: fromJSON (readFile (root + "/nix/toolchain/lock/${host.debian}.json"))) (attrValues (import (root + "/nix/hosts.nix")));
  differing = one: other:
    let shared = intersectAttrs one.packages other.packages; in
    assert shared != { };
    map (name: "${name} ${one.packages.${name}.version} ${other.packages.${name}.version}\n")
      (filter (name: one.packages.${name}.version != other.packages.${name}.version) (attrNames shared));
in
concatStringsSep "" (concatMap (one: concatMap (differing one) locks) locks)
