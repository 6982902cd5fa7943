# What the locks name, for nixw: `lines` has one for each, KIND STORE-PATH HASH URL.
#
#   file     a flat file; HASH is its SHA-256 in hexadecimal; after the URL comes its size
#   source   a source tree, as the archive at URL; HASH is of its NAR, in SRI form, as all below
#   busybox  the directory with bin/busybox of the package at URL
#   crates   `cargo vendor` of a Cargo.lock; instead of the URL, in which directory that is
let
  toolchain = import ./toolchain { system = "x86_64-linux"; };
  repositoryFiles = import ./repository-files.nix;
  rust = import ./rust { inherit toolchain repositoryFiles; };
  lint = import ./lint { inherit rust toolchain repositoryFiles; };
  linux = (builtins.fromJSON (builtins.readFile ../flake.lock)).nodes.linux.locked;

  # Where a flake input is looked for before it is fetched.
  linuxPath = (derivation {
    name = "source";
    system = "none";
    builder = "none";
    outputHashMode = "recursive";
    outputHash = linux.narHash;
  }).outPath;

  line = kind: path: hash: url: "${kind} ${builtins.unsafeDiscardStringContext path} ${hash} ${url}\n";
  file = name: deb: line "file" deb.outPath deb.outputHash "${deb.url} ${toString toolchain.sizes.${name}}";
  inherit (toolchain) busybox;
in
{
  lines = builtins.concatStringsSep "" (
    builtins.attrValues (builtins.mapAttrs file toolchain.debs) ++ [
      (line "source" linuxPath linux.narHash linux.url)
      (line "busybox" busybox.outPath busybox.outputHash busybox.deb.url)
      (line "crates" rust.crates.outPath rust.crates.outputHash ".")
      (line "crates" lint.crates.outPath lint.crates.outputHash "nix/lint")
    ]
  );
  inherit (toolchain) rust tools;
}
