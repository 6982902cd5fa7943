#!/bin/sh
# `nixw` fetches the sources that a command needs, and refuses bad ones. Nix and curl are real, but the locks name a few small files, the
# mirrors are directories, and the store is in a directory of this test.
#
# This is no check of the flake, because the sandbox has no store to add to. .ci/run runs it. It needs root, and a store that nixw
# has filled.
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/read-only-store.sh
. "$repository/tests/read-only-store.sh"
# shellcheck source=tests/cases.sh
. "$repository/tests/cases.sh"

# shellcheck source=tests/small-locks.sh
. "$repository/tests/small-locks.sh"

# --- functions of the tests ---

export DEBIAN_MIRROR="file://$mirror" NIXW_SOURCES="$scratch/sources" NIX_REMOTE="local?root=$scratch/store"

# A case begins with an empty store, and only the crates in the directory of sources.
prepare() {
  chmod -R u+w "$scratch/store" 2>/dev/null || :
  rm -rf "$scratch/store" "$NIXW_SOURCES"
  mkdir -p "$NIXW_SOURCES"
  for directory in $crates_names; do cp -r "$crates" "$NIXW_SOURCES/$directory"; done
}
# Builds what needs all sources, again.
run() {
  nix-store --delete --ignore-liveness "$all" >/dev/null 2>&1 || :
  status=0; "$copy/nixw" build --no-link --file "$copy/test.nix" all >"$log" 2>&1 || status=$?
}
# shellcheck disable=SC2086 # a list of paths
stored() { nix-store --check-validity --print-invalid $paths | wc -l; }
stored_path() { nix-store --check-validity "$(echo "$paths" | grep -F -- "-$1")" 2>/dev/null; }
lacks() { [ "$(stored)" = "$1" ] || wrong "$(stored) of the sources are not in the store, instead of $1"; }
# The paths of the sources whose names begin with $1, and where the files are.
path_of() { echo "$paths" | grep -- "-$1"; }
file_of() { path_of "$1" | sed "s#^#$scratch/store#"; }

# `apt_run` runs it where apt is configured for mirrors, one of a distribution in a line of $scratch/targets: ORIGIN|RELEASE|URL, as
# apt-get prints it once it has indexes, and URL/dists/RELEASE/InRelease in quotes of $scratch/uris, as it does before.
mkdir "$scratch/apt"
cat >"$scratch/apt/apt-get" <<SH
#!/bin/sh
case \$1 in indextargets) cat "$scratch/targets" ;; --print-uris) cat "$scratch/uris" ;; *) exit 1 ;; esac
SH
chmod +x "$scratch/apt/apt-get"
apt_run() { DEBIAN_MIRROR='' PATH=$scratch/apt:$PATH run; }
# A copy of the mirror, in which small_1_amd64.deb has other bytes.
other=$scratch/other-mirror
cp -r "$mirror" "$other"
echo wrong >"$other/pool/small_1_amd64.deb"

# --- the tests ---

begin "what is missing is fetched, and kept in the directory of sources"
run; exits 0; lacks 0
for file in "$busybox_deb" small_1_amd64.deb linux.tar.xz; do
  cmp -s "$mirror/pool/$file" "$NIXW_SOURCES/$file" || wrong "$file is not kept"
done
run; exits 0; says_not fetching
end

begin "of the sources, only those are fetched that the command needs"
"$copy/nixw" build --no-link --file "$copy/test.nix" little >"$log" 2>&1 && status=0 || status=$?
exits 0; lacks 3; says "fetching 2 files, 1 MB, from file://$mirror"
[ ! -e "$NIXW_SOURCES/linux.tar.xz" ] || wrong "Linux is fetched"
end

begin "Nix runs where nixw was called, with its arguments"
(cd "$crates"; exec "$copy/nixw" eval --impure --raw --expr 'builtins.readFile ./README') >"$log" 2>&1 && status=0 || status=$?
exits 0; says "all crates"; lacks 6
end

begin "a directory of sources is enough"
cp "$mirror"/pool/* "$NIXW_SOURCES/"
DEBIAN_MIRROR=http://127.0.0.1:9 run; exits 0; lacks 0
end

begin "a file with another hash is discarded, and fetched again by the next run"
cp "$mirror/pool/small_1_amd64.deb" "$scratch/good"
echo wrong >"$mirror/pool/small_1_amd64.deb"
run; exits 2; lacks 4; says "  small_1_amd64.deb"
says "file://$mirror: discarding files that do not have the SHA-256 of the lock: small_1_amd64.deb"
[ -e "$NIXW_SOURCES/$busybox_deb" ] || wrong "the others are lost"
[ ! -e "$NIXW_SOURCES/small_1_amd64.deb" ] || wrong "it is kept"
cp "$scratch/good" "$mirror/pool/small_1_amd64.deb"
run; exits 0; lacks 0
end

begin "one in the directory of sources is refused, and left as it is"
echo wrong >"$NIXW_SOURCES/small_1_amd64.deb"
run; exits 2; says "sources/small_1_amd64.deb: not the SHA-256 that the lock names"; lacks 4
[ "$(cat "$NIXW_SOURCES/small_1_amd64.deb")" = wrong ] || wrong "it is changed"
end

for crates_name in $crates_names; do
  begin "so are crates that are others: $crates_name"
  echo more >"$NIXW_SOURCES/$crates_name/more"
  run; exits 2; says "$crates_name: the lock names $(cat "$copy/nix/rust/crates.hash")"
  ! stored_path "$crates_name" || wrong "it is in the store"
  end
done

begin "of apt's mirrors, only those of Debian are asked"
printf '%s\n' "Ubuntu|noble|file://$other" "Debian Backports|bookworm-backports|file://$mirror" >"$scratch/targets"
apt_run; exits 0; lacks 0; says "from file://$mirror"; says_not "$other"
end

begin "where none is Debian's, it says so"
echo "Ubuntu|noble|file://$other" >"$scratch/targets"
apt_run; exits 2; lacks 6; says "not asking these mirrors, because they are not Debian's: file://$other (Ubuntu)"; says_not fetching
end

begin "of a mirror that apt does not know yet, or not the origin, that is asked"
mkdir -p "$mirror/dists/bookworm" "$other/dists/noble"
printf 'Origin: Debian\nLabel: Debian\n' >"$mirror/dists/bookworm/Release"
printf 'Origin: Ubuntu\nLabel: Ubuntu\n' >"$other/dists/noble/Release"
: >"$scratch/targets"
printf "'%s/InRelease' name 0 \n" "file:$other/dists/noble" "file:$mirror/dists/bookworm" >"$scratch/uris"
apt_run; exits 0; lacks 0; says "from file:$mirror"; says_not "$other"
prepare
# shellcheck disable=SC2016 # apt's own placeholder
printf '$(ORIGIN)|%s\n' "noble|file:$other" "bookworm|mirror+file:$scratch/list/" >"$scratch/targets"
printf '%s\tpriority:1\n' "file:$mirror" >"$scratch/list"
apt_run; exits 0; lacks 0; says "from file:$mirror"; says_not "$other"
end

begin "what one of apt's mirrors has with other bytes is discarded, and the next is asked"
printf 'Debian|bookworm|%s/\n' "file://$other" "file://$mirror" >"$scratch/targets"
apt_run; exits 0; lacks 0
says "file://$other: discarding files that do not have the SHA-256 of the lock: small_1_amd64.deb"
cmp -s "$mirror/pool/small_1_amd64.deb" "$NIXW_SOURCES/small_1_amd64.deb" || wrong "not the right one is kept"
prepare
echo "Debian|bookworm|file://$other" >"$scratch/targets"
apt_run; exits 2; lacks 4; says "  small_1_amd64.deb"
[ ! -e "$NIXW_SOURCES/small_1_amd64.deb" ] || wrong "it is kept"
end

begin "a file that the store has emptied is fetched again"
run; exits 0; lacks 0
small=$(file_of small_1_amd64.deb)
chmod u+w "$small" && : >"$small"
run; exits 0; says "$(path_of small_1_amd64.deb) is damaged"; lacks 0; says_not fetching
cmp "$small" "$mirror/pool/small_1_amd64.deb" >>"$log" || wrong "it is as it was"
run; exits 0; says_not damaged
rm -f "$small"; rm "$NIXW_SOURCES/small_1_amd64.deb"
run; exits 0; says "$(path_of small_1_amd64.deb) is damaged"; says "fetching 1 files"; lacks 0
for tree in busybox-static\$ linux crates-; do
  for directory in $(file_of $tree); do chmod -R u+w "$directory"; rm -r "$directory"; done
done
run; exits 0; says "$(path_of busybox-static\$) is damaged"; says "$(path_of linux) is damaged"; lacks 0
[ -x "$(file_of busybox-static\$)/bin/busybox" ] || wrong "busybox is not there again"
[ "$(cat "$(file_of linux)")" = "all of Linux" ] || wrong "Linux is not there again"
for directory in $(file_of crates-); do [ -e "$directory/README" ] || wrong "crates are not there again"; done
end

begin "where HOME cannot be written to, Nix has its cache elsewhere"
HOME=/proc XDG_CACHE_HOME='' TMPDIR=$scratch run; exits 0; lacks 0
says "nixw: /proc/.cache: cannot be written, so Nix's cache is $scratch/nixw-cache-0"
end

begin "when nothing can be built because the store has changed a source, it is named, and what to do"
run; exits 0; lacks 0
shell=$(file_of busybox-static\$)/bin/busybox
chmod u+w "$(dirname "$shell")" "$shell"; echo nonsense >"$shell"
echo SMALL >"$scratch/small"; chmod u+w "$(file_of small_1_amd64.deb)"; cp "$scratch/small" "$(file_of small_1_amd64.deb)"
nix-store --delete --ignore-liveness "$all" "$(made tools)" "$(path_of linux)" >"$log" 2>&1 || wrong "cannot delete"
run; exits 2; says "$(path_of busybox-static\$) is damaged"; says "$(path_of small_1_amd64.deb) is damaged"; says "NIXW_REPAIR"
says_not "nothing can be built"; says_not replacing
NIXW_REPAIR=1 run; exits 0; lacks 0; says "$(path_of busybox-static\$) is damaged, but Nix has not noticed; replacing it"
cmp "$(file_of small_1_amd64.deb)" "$mirror/pool/small_1_amd64.deb" >>"$log" || wrong "a file is as it was"
NIXW_REPAIR=1 run; exits 0; says_not damaged
end

# --- what a command needs ---

# These cases are about the flake itself. No mirror answers, so nixw lists what it would fetch, and ends.
flake=$scratch/flake
(copy_repository "$flake")
# needs FILES ARGUMENT...: `nixw ARGUMENT...` fetches the packages FILES, each the beginning of a name. After a !, it does not.
needs() {
  files=$1
  shift
  (cd "$flake"; DEBIAN_MIRROR=http://127.0.0.1:9 NIXW_SOURCES="$scratch/needed" ./nixw "$@") >"$log" 2>&1 && status=0 || status=$?
  exits 2; says "these files are missing"
  for file in $files; do
    case $file in
      !*) ! grep -q "/${file#!}_" "$scratch/needed/missing.txt" || wrong "nixw $*: fetches ${file#!}" ;;
      *) grep -q "/${file}_" "$scratch/needed/missing.txt" || wrong "nixw $*: does not fetch $file" ;;
    esac
  done
}

begin "a command fetches what it needs, and no more"
needs 'rustc-web busybox-static !linux !qemu-system-x86 !rust-web-clippy !gdb-minimal' run .#explain
needs 'rustc-web linux qemu-system-x86 !rust-web-clippy !shellcheck !qemu-user !gcc-12-aarch64-linux-gnu' run .#boot
needs 'linux gcc-12 !rustc-web !qemu-system-x86' build .#kernel.vmlinux
needs 'shellcheck !rustc-web !linux' build .#checks.x86_64-linux.shellcheck
needs 'gdb-minimal linux' run .#debug -- --init
needs 'rustc-web gdb-minimal qemu-system-x86 !linux' develop
needs 'rustc-web !linux !qemu-system-x86' fmt flake.nix
needs 'qemu-system-x86 !linux !gcc-12' shell .#qemu --command gcc .#kernel
needs 'linux rust-web-clippy shellcheck qemu-user' flake check
needs 'linux !rust-web-clippy' build .#legacyPackages.x86_64-linux.examples.reboot.check
needs 'linux' run .#defconfig
end

begin "however it names that, and whatever the options are"
needs 'rustc-web !linux !qemu-system-x86' run .#explain -- .#boot .#kernel
needs 'rustc-web !linux !qemu-system-x86' run .#explain .#boot
needs 'qemu-system-x86 gcc-12-aarch64-linux-gnu !linux' build .#qemu .#init-aarch64
needs 'qemu-system-x86 !linux' build --max-jobs 2 --keep-going --out-link .#kernel .#qemu --print-build-logs
needs 'qemu-system-x86 !linux' --print-build-logs --option cores 1 --max-jobs 2 build .#qemu
needs 'qemu-system-x86 !linux' build "path:$flake#qemu"
needs 'qemu-system-x86 !linux' build "git+file:$flake#qemu" --option cores 1
needs 'gdb-minimal !linux' develop --keep .#kernel --ignore-environment "$flake" --command true .#kernel
mkdir -p "$scratch/tree"
needs 'gcc-12 !linux' build --no-write-lock-file --override-input linux "path:$scratch/tree" .#kernel
end

# (`flake check --no-build` as well, but in a store elsewhere Nix 2.8 fails: "template has a bad path attribute".)
begin "evaluation fetches nothing"
for command in "--version" "flake show" "flake metadata" "eval --raw .#boot.drvPath" "path-info --derivation .#boot" "build --dry-run .#explain"; do
  # shellcheck disable=SC2086 # words
  (cd "$flake"; unshare --net ./nixw $command) >"$log" 2>&1 && status=0 || status=$?
  exits 0; says_not missing
done
[ "$(du -sm "$scratch/store" | cut -f 1)" -lt 50 ] || wrong "the store has $(du -sm "$scratch/store")"
(cd "$flake"; unshare --net ./nixw build .#nothing) >"$log" 2>&1 && status=0 || status=$?
exits 1; says "does not provide attribute"; says_not nixw:
end

# --- other cases ---

begin "blanks and quotes in the names of directories are no trouble"
place="$scratch/it's a \"place\""
mkdir -p "$place/home" "$place/tmp"
cp -r "$copy" "$mirror" "$NIXW_SOURCES" "$place/"
(cd "$place/copy"; HOME="$place/home" TMPDIR="$place/tmp" DEBIAN_MIRROR="$place/mirror" NIXW_SOURCES="$place/sources" ./nixw build --no-link --file test.nix all) >"$log" 2>&1 &&
  status=0 || status=$?
exits 0; lacks 0; says "from file://"
[ "$(ls -A "$place/tmp")" = "" ] || wrong "leaves something behind"
ln -s "$place/copy/nixw" "$scratch/link"
"$scratch/link" build --no-link --file "$place/copy/test.nix" all >"$log" 2>&1 && status=0 || status=$?
exits 0; says_not nixw:
rm -r "$place"
end

begin "a checkout that is another user's: what to do"
mkdir "$scratch/home" "$scratch/theirs"
git init -q "$scratch/theirs"
chown -R nobody "$scratch/theirs"
in_theirs() { (cd "$scratch/theirs"; HOME=$scratch/home XDG_CONFIG_HOME=$scratch/home GIT_CONFIG_NOSYSTEM=1; export HOME XDG_CONFIG_HOME GIT_CONFIG_NOSYSTEM; "$@"); }
in_theirs "$copy/nixw" --version >"$log" 2>&1 && status=0 || status=$?
exits 2; says "another user's"; says "git config --global --add safe.directory $scratch/theirs"
[ "$(wc -l <"$log")" = 1 ] || wrong "says more than one line"
in_theirs git config --global --add safe.directory "$scratch/theirs"
in_theirs "$copy/nixw" --version >"$log" 2>&1 && status=0 || status=$?
exits 0
end

begin "without a mirror and without the internet: what is missing, and the ways to get it"
mv "$mirror/pool/small_1_amd64.deb" "$scratch/good"
run; exits 2; lacks 4
says "  small_1_amd64.deb"; says_not "  busybox"
for way in DEBIAN_MIRROR NIXW_SOURCES internet; do says "$way"; done
[ "$(cat "$NIXW_SOURCES/missing.txt")" = https://snapshot.debian.org/archive/debian/2026/pool/small_1_amd64.deb ] || wrong "missing.txt has $(cat "$NIXW_SOURCES/missing.txt")"
DEBIAN_MIRROR=http://127.0.0.1:9 run; exits 2; says "http://127.0.0.1:9: no answer"; says "  small_1_amd64.deb"
[ "$(wc -l <"$log")" -lt 15 ] || wrong "says too much"
mv "$scratch/good" "$mirror/pool/small_1_amd64.deb"
end

begin "an interrupted download leaves nothing behind"
mv "$mirror/pool/small_1_amd64.deb" "$scratch/good"
mkfifo "$mirror/pool/small_1_amd64.deb" # never ends
setsid "$copy/nixw" build --no-link --file "$copy/test.nix" all >"$log" 2>&1 &
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
"$copy/nixw" build --no-link --file "$copy/test.nix" all >"$scratch/first.log" 2>&1 &
first=$!
run; exits 0
status=0; wait "$first" || status=$?
exits 0; cat "$scratch/first.log" >>"$log"; lacks 0
end

begin "a full disk is told, and nothing half-written is kept"
# shellcheck disable=SC2016 # for the inner shell
unshare --mount sh -c 'mount -t tmpfs -o size=100k none "$1"; status=0; "$2/nixw" build --no-link --file "$2/test.nix" all || status=$?; ls -A "$1"; exit $status' \
  sh "$NIXW_SOURCES" "$copy" >"$log" 2>&1 && status=0 || status=$?
exits 2; lacks 6; says "is the disk full?"; says_not busybox-static
end

begin "where there can be no sandbox, nothing is built without one"
# shellcheck disable=SC2016 # for the inner shell
unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_mnt_namespaces; exec "$1/nixw" build --no-link --file "$1/test.nix" all' sh "$copy" >"$log" 2>&1 &&
  status=0 || status=$?
exits 2; lacks 6; says "nothing can be built here"; says_not fetching
end

begin "another kind of machine is told so"
setarch i686 "$copy/nixw" --version >"$log" 2>&1 && status=0 || status=$?
exits 2; says "nixw: this builds on x86_64 and aarch64 Linux; here is Linux i686"
[ "$(wc -l <"$log")" = 1 ] || wrong "says more than one line"
end

begin "this machine's own store cannot be written to"
(: >/nix/store/nixw-was-here) 2>"$log" && { rm /nix/store/nixw-was-here; wrong "it can"; }
end

begin "without Nix and without apt: how to get Nix"
mkdir "$scratch/bin"
for tool in sh dirname readlink uname mktemp mkdir rm id; do ln -s "$(command -v $tool)" "$scratch/bin/$tool"; done
PATH=$scratch/bin run; exits 2; says "Nix is not installed"; says "https://nixos.org"
[ "$(wc -l <"$log")" = 1 ] || wrong "says more than one line"
end

summary fetching
