#!/bin/sh
# What `nixw` does with good and with bad sources: a real Nix and a real curl, but locks of a few small files, a mirror in a
# directory, and a store of its own. Not a check of the flake, since in Nix's sandbox there is no store to add to: .ci/run runs
# it. Needs root, and a store in which nixw has been at work.
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=checks/cases.sh
. "$repository/checks/cases.sh"

# No way out: what is not in the mirror or a directory cannot be had, whatever network this machine has.
export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9
NIX_CONFIG="extra-experimental-features = nix-command flakes
build-users-group =
substituters ="
export NIX_CONFIG

# --- a copy of the repository with small locks, and the files that they name ---

copy=$scratch/copy mirror=$scratch/mirror crates=$scratch/crates
mkdir -p "$copy" "$mirror/pool" "$crates" "$scratch/linux"
cp -r "$repository/nix" "$repository/nixw" "$repository/Cargo.toml" "$repository/Cargo.lock" "$copy/"

real=$(nix eval --raw --file "$repository/nix/sources.nix" lines)
deb=$(echo "$real" | sed -n 's/^file \([^ ]*-busybox-static_[^ ]*\) .*/\1/p')
busybox=$(echo "$real" | sed -n 's/^busybox [^ ]* \([^ ]*\) .*/\1/p')
busybox_deb=$(basename "$deb" | cut -c 34-) # of HASH-NAME
cp "$deb" "$mirror/pool/$busybox_deb"
echo small >"$mirror/pool/small_1_amd64.deb"
echo "all of Linux" >"$scratch/linux/README"
tar -czf "$mirror/pool/linux.tar.gz" -C "$scratch" linux
echo "all crates" >"$crates/README"

# shellcheck disable=SC2016 # Nix, not shell
trees=$(nix eval --json --file "$copy/nix/toolchain/packages.nix" --apply 'builtins.mapAttrs (_: _: [ ])')
locked() { printf '{"path": "pool/%s", "sha256": "%s"}' "$1" "$(sha256sum <"$mirror/pool/$1" | cut -d ' ' -f 1)"; }
cat >"$copy/nix/toolchain/lock.json" <<JSON
{"snapshot": "2026", "busybox": "$busybox", "trees": $trees,
 "packages": {"busybox-static": $(locked "$busybox_deb"), "small": $(locked small_1_amd64.deb)}}
JSON
cat >"$copy/flake.lock" <<JSON
{"nodes": {"linux": {"locked": {"narHash": "$(nix hash path --sri "$scratch/linux")",
 "url": "https://snapshot.debian.org/archive/debian/2026/pool/linux.tar.gz"}}}}
JSON
for hash in nix/crates.hash nix/lint/crates.hash; do nix hash path --sri "$crates" >"$copy/$hash"; done
lines=$(nix eval --raw --file "$copy/nix/sources.nix" lines)
paths=$(echo "$lines" | cut -d ' ' -f 2)
crates_names=$(echo "$paths" | sed -n 's/.*-\(crates-.*\)/\1/p' | sort)

# --- what the tests are made of ---

export DEBIAN_MIRROR="file://$mirror" NIXW_SOURCES="$scratch/sources" NIX_REMOTE="local?root=$scratch/store"

# A case begins on an empty store, with nothing but the crates in the directory of sources.
prepare() {
  chmod -R u+w "$scratch/store" 2>/dev/null || :
  rm -rf "$scratch/store" "$NIXW_SOURCES"
  mkdir -p "$NIXW_SOURCES"
  for directory in $crates_names; do cp -r "$crates" "$NIXW_SOURCES/$directory"; done
}
run() { status=0; "$copy/nixw" --version >"$log" 2>&1 || status=$?; }
# shellcheck disable=SC2086 # a list of paths
stored() { nix-store --check-validity --print-invalid $paths | wc -l; }
stored_path() { nix-store --check-validity "$(echo "$paths" | grep -F -- "-$1")" 2>/dev/null; }
lacks() { [ "$(stored)" = "$1" ] || wrong "$(stored) of the sources are not in the store, instead of $1"; }

# --- the tests ---

begin "what is missing is fetched, and kept in the directory of sources"
run; exits 0; lacks 0
for file in "$busybox_deb" small_1_amd64.deb linux.tar.gz; do
  cmp -s "$mirror/pool/$file" "$NIXW_SOURCES/$file" || wrong "$file is not kept"
done
says "nix (Nix)"
run; exits 0; says_not fetching
end

begin "a directory of sources is enough"
cp "$mirror"/pool/* "$NIXW_SOURCES/"
DEBIAN_MIRROR=http://127.0.0.1:9 run; exits 0; lacks 0
end

begin "a file with another hash is refused by name, and fetched again by the next run"
cp "$mirror/pool/small_1_amd64.deb" "$scratch/good"
echo wrong >"$mirror/pool/small_1_amd64.deb"
run; exits 2; says "small_1_amd64.deb: not the SHA-256 that the lock names"; lacks 6
[ ! -e "$NIXW_SOURCES/small_1_amd64.deb" ] || wrong "it is kept"
cp "$scratch/good" "$mirror/pool/small_1_amd64.deb"
run; exits 0; lacks 0
end

begin "so is one in the directory of sources, which is left as it is"
echo wrong >"$NIXW_SOURCES/small_1_amd64.deb"
run; exits 2; says "sources/small_1_amd64.deb: not the SHA-256 that the lock names"; lacks 6
[ "$(cat "$NIXW_SOURCES/small_1_amd64.deb")" = wrong ] || wrong "it is changed"
end

begin "so is a source tree that is another one"
mv "$mirror/pool/linux.tar.gz" "$scratch/good"
mkdir -p "$scratch/other"; echo other >"$scratch/other/README"
tar -czf "$mirror/pool/linux.tar.gz" -C "$scratch" other
run; exits 2; says "linux.tar.gz: not the source tree that flake.lock names"; lacks 1
mv "$scratch/good" "$mirror/pool/linux.tar.gz"
end

for crates_name in $crates_names; do
  begin "so are crates that are others: $crates_name"
  echo more >"$NIXW_SOURCES/$crates_name/more"
  run; exits 2; says "$crates_name: the lock names $(cat "$copy/nix/crates.hash")"
  ! stored_path "$crates_name" || wrong "it is in the store"
  end
done

begin "without a mirror and without the internet: what is missing, and the ways to get it"
mv "$mirror/pool/small_1_amd64.deb" "$scratch/good"
run; exits 2; lacks 6
says "  small_1_amd64.deb"; says_not "  busybox"
for way in DEBIAN_MIRROR NIXW_SOURCES internet; do says "$way"; done
DEBIAN_MIRROR=http://127.0.0.1:9 run; exits 2; says "http://127.0.0.1:9: no answer"; says "  small_1_amd64.deb"
[ "$(wc -l <"$log")" -lt 15 ] || wrong "says too much"
mv "$scratch/good" "$mirror/pool/small_1_amd64.deb"
end

begin "an interrupted download leaves nothing behind"
mv "$mirror/pool/small_1_amd64.deb" "$scratch/good"
mkfifo "$mirror/pool/small_1_amd64.deb" # never ends
setsid "$copy/nixw" --version >"$log" 2>&1 &
running=$!
tries=0
until [ -s "$(echo "$NIXW_SOURCES"/.part.*/busybox*)" ] || [ $tries = 100 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -TERM "-$running"
status=0; wait "$running" || status=$?
exits 143; lacks 6
[ "$(ls -A "$NIXW_SOURCES")" = "$crates_names" ] || wrong "leaves $(ls -A "$NIXW_SOURCES")"
rm "$mirror/pool/small_1_amd64.deb"; mv "$scratch/good" "$mirror/pool/small_1_amd64.deb"
run; exits 0; lacks 0
end

begin "two at once do not harm each other"
"$copy/nixw" --version >"$scratch/first.log" 2>&1 &
first=$!
run; exits 0
status=0; wait "$first" || status=$?
exits 0; cat "$scratch/first.log" >>"$log"; lacks 0
end

begin "a full disk is told, and nothing half-written is kept"
# shellcheck disable=SC2016 # for the inner shell
unshare --mount sh -c 'mount -t tmpfs -o size=100k none "$1"; status=0; "$2" --version || status=$?; ls -A "$1"; exit $status' \
  sh "$NIXW_SOURCES" "$copy/nixw" >"$log" 2>&1 && status=0 || status=$?
exits 2; lacks 6; says "is the disk full?"; says_not busybox-static
end

begin "where there can be no sandbox, nothing is built without one"
# shellcheck disable=SC2016 # for the inner shell
unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_mnt_namespaces; exec "$1" --version' sh "$copy/nixw" >"$log" 2>&1 &&
  status=0 || status=$?
exits 2; says "nothing can be built here"
end

begin "another kind of machine is told so"
mkdir "$scratch/bin"
printf '#!/bin/sh\necho Darwin arm64\n' >"$scratch/bin/uname"; chmod +x "$scratch/bin/uname"
PATH=$scratch/bin:$PATH run; exits 2; says "nixw: this builds on x86_64 Linux; here is Darwin arm64"
[ "$(wc -l <"$log")" = 1 ] || wrong "says more than one line"
end

begin "without Nix and without apt: how to get Nix"
rm "$scratch/bin/uname"
for tool in sh dirname uname mktemp mkdir rm id; do ln -s "$(command -v $tool)" "$scratch/bin/$tool"; done
PATH=$scratch/bin run; exits 2; says "Nix is not installed"; says "https://nixos.org"
[ "$(wc -l <"$log")" = 1 ] || wrong "says more than one line"
end

summary nixw
