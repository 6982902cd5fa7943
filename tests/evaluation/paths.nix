# { flake }: what the flake at that address gives, a line KIND/NAME PATH for each: where its result is or will be. A change that
# leaves the path as it is builds nothing anew.
{ flake }:
let
  system = "x86_64-linux";
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
