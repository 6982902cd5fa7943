# A copy of the repository ($copy) with small locks, for tests of nixw. A script sources this file after cases.sh.
#
# $mirror has the files that the locks name, and $crates the crates. $all is the path of what test.nix there builds from all of them, and
# $paths are the paths of the sources. $crates_names are the names of the directories of crates in NIXW_SOURCES.
# shellcheck disable=SC2034 # what the scripts use

# No network: files come only from the mirror or a directory, whatever network this machine has.
export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9
NIX_CONFIG="extra-experimental-features = nix-command flakes
build-users-group =
substituters ="
export NIX_CONFIG

# --- a copy of the repository with small locks, and the files that they name ---

copy=$scratch/copy mirror=$scratch/mirror crates=$scratch/crates
mkdir -p "$copy" "$mirror/pool" "$crates"
cp -r "$repository/nix" "$repository/nixw" "$repository/Cargo.toml" "$repository/Cargo.lock" "$copy/"

real() { nix eval --raw --file "$repository/nix/toolchain" --argstr system x86_64-linux "$1"; }
deb=$(real busybox.deb)
busybox=$(real busybox.outputHash)
busybox_deb=$(basename "$deb" | cut -c 34-) # of HASH-NAME
cp "$deb" "$mirror/pool/$busybox_deb"
echo small >"$mirror/pool/small_1_amd64.deb"
echo "all of Linux" >"$mirror/pool/linux.tar.xz"
echo "all crates" >"$crates/README"

trees=$(nix eval --json --impure --expr "builtins.mapAttrs (_: _: [ ])
  (import $copy/nix/toolchain/packages.nix { host = (import $copy/nix/hosts.nix).x86_64-linux; })")
locked() {
  printf '{"%s": "%s", "sha256": "%s", "size": %d}' \
    "$1" "$2" "$(sha256sum <"$mirror/pool/$3" | cut -d ' ' -f 1)" "$(stat -c %s "$mirror/pool/$3")"
}
package() { locked path "pool/$1" "$1"; }
cat >"$copy/nix/toolchain/lock/amd64.json" <<JSON
{"snapshot": "2026", "busybox": "$busybox", "trees": $trees,
 "packages": {"busybox-static": $(package "$busybox_deb"), "small": $(package small_1_amd64.deb)}}
JSON
locked url https://snapshot.debian.org/archive/debian/2026/pool/linux.tar.xz linux.tar.xz >"$copy/nix/kernel/linux.json"
for hash in nix/rust/crates.hash nix/lint/crates.hash; do nix hash path --sri "$crates" >"$copy/$hash"; done
# `all` is built from all of these sources, `little` from one and busybox.
cat >"$copy/test.nix" <<'NIX'
let
  toolchain = import ./nix/toolchain { system = "x86_64-linux"; };
  repositoryFiles = import ./nix/repository-files.nix;
  rust = import ./nix/rust { inherit toolchain repositoryFiles; };
  lint = import ./nix/lint { inherit rust toolchain repositoryFiles; };
  linux = toolchain.fetch (builtins.fromJSON (builtins.readFile ./nix/kernel/linux.json));
  touch = builtins.toFile "touch.sh" "touch $out";
  inherit (toolchain.debs) busybox-static small;
in
{
  all = toolchain.run "all" { inherit small linux; crates = [ rust.crates lint.crates ]; } touch;
  little = toolchain.run "little" { inherit small; } touch;
  inherit (toolchain) tools;
  paths = builtins.concatStringsSep "\n" (map (source: builtins.unsafeDiscardStringContext source.outPath)
    [ busybox-static small linux toolchain.busybox rust.crates lint.crates ]);
}
NIX
made() { nix eval --raw --file "$copy/test.nix" "$1"; }
all=$(made all)
paths=$(made paths)
crates_names=$(echo "$paths" | sed -n 's/.*-\(crates-.*\)/\1/p' | sort)
