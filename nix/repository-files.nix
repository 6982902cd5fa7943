# repositoryFiles NAME PATHS: a source of the files and directories PATHS, which are relative to this repository. A derivation with
# only the files that it needs is not rebuilt for a change in others.
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
