# { flake }: the packages in the overlay of the flake at this URL, a line NAME PATH for each.
{ flake }:
let
  inherit (builtins) attrValues concatStringsSep getFlake isFunction mapAttrs;
  # As much of nixpkgs as the overlay reads.
  nixpkgs = {
    stdenv.hostPlatform.system = "x86_64-linux";
    lib.recurseIntoAttrs = set: set;
  };
  given = ((getFlake flake).overlays.default nixpkgs nixpkgs).simplest-linux;
  packages = removeAttrs given [ "lib" ];
in
assert isFunction given.lib.mkSystem;
concatStringsSep "" (attrValues (mapAttrs (name: package: "${name} ${package.outPath}\n") packages))
