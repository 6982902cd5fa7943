# repositoryFiles NAME PATHS: the parts of this repository that a derivation needs, so that a change elsewhere rebuilds nothing.
# PATHS are relative to the repository and name files or whole directories.
name: paths:
let
  root = toString ../.;
  below = prefix: path: builtins.substring 0 (builtins.stringLength prefix + 1) path == "${prefix}/";
  wanted = path: builtins.any
    (entry: path == "${root}/${entry}" || below "${root}/${entry}" path || below path "${root}/${entry}")
    paths;
in
builtins.path {
  inherit name;
  path = ../.;
  filter = path: _: wanted path;
}
