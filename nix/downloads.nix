# The sources that the locks name, for nixw. `lines` has a line KIND STORE-PATH HASH URL for each.
#
#   file     a flat file. HASH is its SHA-256 in hexadecimal. Its size follows the URL
#   source   the source tree in the archive at URL. This HASH, and those below, are of the NAR, in SRI form
#   busybox  the directory with bin/busybox of the package at URL
#   crates   `cargo vendor` of a Cargo.lock. Its directory takes the place of the URL
let
  toolchain = import ./toolchain { system = "x86_64-linux"; };
  repositoryFiles = import ./repository-files.nix;
  rust = import ./rust { inherit toolchain repositoryFiles; };
  lint = import ./lint { inherit rust toolchain repositoryFiles; };
  linux = (builtins.fromJSON (builtins.readFile ../flake.lock)).nodes.linux.locked;

  # The store path where Nix looks for the flake input before it fetches it.
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
