# { flake }: the outputs of the flake at this URL, a line KIND/NAME PATH for each. PATH is the store path of the result, built or not.
# A change that does not change the path rebuilds nothing. `system` is the host's.
{ flake, system ? "x86_64-linux" }:
let
  outputs = builtins.getFlake flake;
  rust = import "${outputs}/nix/rust" {
    toolchain = import "${outputs}/nix/toolchain" { inherit system; };
    repositoryFiles = import "${outputs}/nix/repository-files.nix";
  };
  lines = kind: paths: builtins.concatStringsSep "" (builtins.attrValues (builtins.mapAttrs (name: path: "${kind}/${name} ${path}\n") paths));
  derivations = kind: lines kind (builtins.mapAttrs (_: value: value.outPath) outputs.${kind}.${system});
in
derivations "packages" + derivations "checks" + derivations "devShells"
+ lines "apps" (builtins.mapAttrs (_: app: app.program) outputs.apps.${system})
  + lines "." { formatter = outputs.formatter.${system}.outPath; dependencies = rust.dependencies.outPath; }
