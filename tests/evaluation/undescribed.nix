# { flake }: the outputs of the flake at this URL that have no description, a line for each. The expression reads no .drv, because that
# of mainline needs a source that is not fetched.
{ flake }:
let
  inherit (builtins) attrNames concatMap concatStringsSep getFlake isAttrs;
  outputs = getFlake flake;
  walk = path: value:
    let
      description = value.meta.description or value.description or "";
      parts = concatMap (name: walk "${path}.${name}" value.${name}) (attrNames value);
    in
    if !isAttrs value then [ ]
    else if value ? type || value ? path then (if description == "" then [ path ] else [ ])
    else parts;
in
concatStringsSep "\n" (concatMap (kind: walk kind outputs.${kind})
  [ "apps" "checks" "devShells" "formatter" "legacyPackages" "packages" "templates" ])
