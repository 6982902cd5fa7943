# storePath VALUE: VALUE itself, unless it is a path with a name that the store does not accept, such as one with a blank. Then it is
# that file or directory in the store under another name. Without this, Nix fails: "store path 'a file' contains illegal character ' '".
value:
let
  inherit (builtins) concatStringsSep isList match split;
  name = baseNameOf (toString value);
  legal = concatStringsSep "" (map (part: if isList part then "-" else part) (split "[^0-9a-zA-Z+._?=-]" name));
in
if !builtins.isPath value || match "[0-9a-zA-Z+_?=-][0-9a-zA-Z+._?=-]*" name != null then value
else builtins.path { path = value; name = if match "[.].*" legal == null then legal else "-${legal}"; }
