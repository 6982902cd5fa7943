# VALUE, and if that is a path whose name the store does not take, such as one with a blank, what is there, in the store under another
# name: "store path 'a file' contains illegal character ' '".
value:
let
  inherit (builtins) concatStringsSep isList match split;
  name = baseNameOf (toString value);
  legal = concatStringsSep "" (map (part: if isList part then "-" else part) (split "[^0-9a-zA-Z+._?=-]" name));
in
if !builtins.isPath value || match "[0-9a-zA-Z+_?=-][0-9a-zA-Z+._?=-]*" name != null then value
else builtins.path { path = value; name = if match "[.].*" legal == null then legal else "-${legal}"; }
