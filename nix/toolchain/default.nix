# The pinned tools: a derivation for each tree of packages.nix, by its name, and what bootstrap.nix makes (`tools`, busybox's, and
# `run`, `program` and `textFile`, which build with them, and `shellWord`). `debs` are the packages that all of it comes from, and
# `versions` Debian's versions of them. `fetch` downloads a file from Debian's archive. `host` is the row of hosts.nix.
{ system }:
let
  host = (import ../hosts.nix).${system};
  lock = builtins.fromJSON (builtins.readFile (./lock + "/${host.debian}.json"));
  trees = import ./packages.nix { inherit host; };

  # One file of Debian's archive as a fixed-output derivation. Its store path depends only on name and hash, so Nix may fetch it from the
  # permanent archive, or `nixw` may add it from a mirror. nixw compares the size with that of the file in the store.
  fetch = { url, sha256, size, ... }: derivation {
    # The store accepts no `~` in names.
    name = builtins.replaceStrings [ "~" ] [ "-" ] (baseNameOf url);
    system = "builtin";
    builder = "builtin:fetchurl";
    inherit url size;
    outputHash = sha256;
    outputHashAlgo = "sha256";
    outputHashMode = "flat";
    preferLocalBuild = true;
    impureEnvVars = [ "http_proxy" "https_proxy" "ftp_proxy" "all_proxy" "no_proxy" ];
  };
  fetchDeb = _: package: fetch (package // { url = "https://snapshot.debian.org/archive/debian/${lock.snapshot}/${package.path}"; });
  debs = builtins.mapAttrs fetchDeb lock.packages;
  versions = builtins.mapAttrs (_: package: package.version) lock.packages;
  debsOf = tree: map (name: debs.${name}) lock.trees.${tree};

  bootstrap = import ./bootstrap.nix {
    inherit host;
    busyboxDeb = debs.busybox-static;
    busyboxHash = lock.busybox;
    patchelfDebs = debsOf "patchelf";
  };
  inherit (bootstrap) busybox patchelf program run shellWord textFile tools;

  mkTree = name: tree: run name
    {
      inherit patchelf;
      inherit (host) library loader;
      debs = debsOf name;
      keep = tree.keep or [ ];
      on = map (base: built.${base}) (tree.on or [ ]);
      glibc = if name == "glibc" then "" else built.glibc;
      finish = tree.finish or "";
    } ./tree.sh;

  built = builtins.mapAttrs mkTree (removeAttrs trees [ "busybox" "patchelf" ]);
in
built // {
  inherit busybox patchelf program run shellWord textFile tools debs fetch host versions;
  # All trees that builds, checks and the runner use.
  trees = [ busybox patchelf ] ++ builtins.attrValues built;
}
