# vendor { src, members, directory, lock, hash }: `cargo vendor` of the lock file `lock`, as a fixed-output derivation. The package or
# workspace is in `directory` of `src`. `hash` is a string, or a file whose first line it is.
#
# The derivation is named after the lock file's hash. Otherwise Nix would take the crates of an earlier lock file for those of this one.
{ cargo, toolchain }:
{ src, members, directory, lock, hash }:
let
  firstLine = file: builtins.head (builtins.match "([^\n]+)\n?" (builtins.readFile file));
in
cargo "crates-${builtins.substring 0 12 (builtins.hashFile "sha256" lock)}" {
  # nixw reads `directory`, too.
  inherit src members directory;
  crates = "";
  # The machine's own certificates where Nix lets a build see them, as newer ones do: a proxy may be among them.
  script = ''
    [ -r $CARGO_HTTP_CAINFO ] || CARGO_HTTP_CAINFO=${toolchain.certificates}/ca-certificates.crt
    cargo vendor --locked --manifest-path ${directory}/Cargo.toml $out || {
      echo "If a proxy with a certificate of its own is the reason: ./nixw in place of nix uses the certificates of this machine."
      echo "Or let Nix's sandbox have them: --option extra-sandbox-paths /etc/ssl/certs/ca-certificates.crt"
      exit 1
    }
  '';
  outputHash = if builtins.isPath hash then firstLine hash else hash;
  outputHashMode = "recursive";
  CARGO_HTTP_CAINFO = "/etc/ssl/certs/ca-certificates.crt";
  impureEnvVars = [ "http_proxy" "https_proxy" "all_proxy" "no_proxy" ];
}
