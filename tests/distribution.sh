#!/bin/sh
# Builders share the checks between them, results move through a signed binary cache, and Nix refuses a tampered one. Each of the
# other machines is a store in a directory here. Only the network is missing: for a builder named localhost, Nix starts the other end
# of its protocol itself, without ssh.
#
# This is no check of the flake, because the sandbox has no store to add to. .ci/run runs it. It needs root, and a store in which
# the checks `hello` and `report` can be built without building anything else.
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/read-only-store.sh
. "$repository/tests/read-only-store.sh"
# shellcheck source=tests/cases.sh
. "$repository/tests/cases.sh"

# --- what is built, and the machines ---

drv() { nix eval --raw "$repository#checks.x86_64-linux.$1.drvPath"; }
# The inputs of derivation $1: its sources, and the outputs of other derivations.
inputs() {
  nix-store --query --references "$1" | while read -r path; do
    case $path in *.drv) nix-store --query --outputs "$path" ;; *) echo "$path" ;; esac
  done
}
hello=$(drv hello)
report=$(drv report)
hello_out=$(nix-store --query --outputs "$hello")
report_out=$(nix-store --query --outputs "$report")
boot=$(nix eval --raw "$repository#boot")
initramfs=$(nix eval --raw "$repository#initramfs")
nix eval --raw "$repository#checks.x86_64-linux" \
  --apply 'checks: builtins.concatStringsSep "\n" (map (check: check.drvPath) (builtins.attrValues checks))' >"$scratch/checks"

store() { echo "local?root=$scratch/$1"; }
run() { status=0; "$@" >>"$log" 2>&1 </dev/null || status=$?; }
# Each case begins without the machine `new`.
prepare() {
  chmod -R u+w "$scratch/new" 2>/dev/null || :
  rm -rf "$scratch/new"
}
# on MACHINE COMMAND...
on() { machine=$(store "$1"); shift; NIX_REMOTE=$machine "$@"; }
lacks() { ! on "$1" nix-store --check-validity "$2" 2>/dev/null || wrong "$1 has $2"; }
has() { on "$1" nix-store --check-validity "$2" 2>>"$log" || wrong "$1 lacks $2"; }
# The number of paths that machine $1 has built itself.
built() { nix path-info --store "$(store "$1")" --all --json | grep -o '"ultimate":true' | wc -l; }

# `here` is the user's machine. It has the derivations and the inputs of the two checks, but not their results.
# shellcheck disable=SC2046 # a list of paths
nix-store --query --requisites "$hello" "$report" $(inputs "$hello") $(inputs "$report") | sort -u >"$scratch/here.paths"
xargs nix-store --export <"$scratch/here.paths" | on here nix-store --import >/dev/null

# --- builders ---

begin "no check and nothing it is built from asks for a certain machine, but for what is downloaded"
xargs nix-store --query --requisites <"$scratch/checks" | grep '\.drv$' | sort -u |
  xargs grep -lE 'requiredSystemFeatures|preferLocalBuild|allowSubstitutes' >"$scratch/particular"
xargs grep -L '"outputHash"' <"$scratch/particular" >"$log" || :
[ ! -s "$log" ] || wrong "these do:"
[ -s "$scratch/particular" ] || wrong "not even the downloads, which do"
end

begin "a machine that may not build and has no builder builds nothing"
run on here nix-store --realise "$hello" "$report" --max-jobs 0 --builders ''
[ "$status" != 0 ] || wrong "exit status 0"
lacks here "$hello_out"; lacks here "$report_out"
end

begin "two checks are built by two builders, one by each, and the results come back"
builder() { echo "ssh://localhost?remote-store=$scratch/$1 x86_64-linux - 1"; }
run on here nix-store --realise "$hello" "$report" --max-jobs 0 --builders "$(builder east) ; $(builder west)"
exits 0
has here "$hello_out"; has here "$report_out"
[ "$(built here) $(built east) $(built west)" = "0 1 1" ] ||
  wrong "built here, in the east and in the west: $(built here) $(built east) $(built west)"
[ "$(tr -d '\r' <"$scratch/here$hello_out" | grep -cx 'Hello, world!')" = 1 ] || wrong "the result is not that of a boot"
end

# --- a signed cache ---

cache=$scratch/cache
nix-store --generate-binary-cache-key good "$scratch/good.secret" "$scratch/good.public"
nix-store --generate-binary-cache-key other "$scratch/other.secret" "$scratch/other.public"
trusted=$(cat "$scratch/good.public")

# `new`, a machine with an empty store, gets PATH... from the cache in directory $1, and may build nothing.
get() {
  source=$1; shift
  run on new nix-store --realise "$@" --max-jobs 0 --option substituters "file://$source" \
    --option require-sigs true --option trusted-public-keys "$trusted"
}
# Runs `boot` on it, which sees only its store and the kernel's own file systems.
boot_new() {
  mkdir "$scratch/new/dev" "$scratch/new/proc" "$scratch/new/tmp"
  # shellcheck disable=SC2016 # for the inner shell
  unshare --mount sh -c 'mount --rbind /dev "$1/dev"; mount --bind /proc "$1/proc"; exec chroot "$@"' sh \
    "$scratch/new" "$boot/bin/boot" --accel tcg --expect 'Hello, world!' --timeout 120
}

begin "a new machine gets from the signed cache what came from the builders, and boots, without building anything"
run on here nix copy --to "file://$cache?compression=none&secret-key=$scratch/good.secret" "$boot" "$hello_out" "$report_out"
exits 0
get "$cache" "$boot" "$hello_out" "$report_out"; exits 0
for path in "$boot" "$hello_out" "$report_out"; do has new "$path"; done
[ "$(built new)" = 0 ] || wrong "it has built something"
diff -r "$scratch/here$report_out" "$scratch/new$report_out" >>"$log" 2>&1 || wrong "the results are not the same"
run boot_new; exits 0; says 'Hello, world!'
end

begin "so it does with nixw from the assets of a release, which has no subdirectories"
run "$repository/.ci/assets" "$cache" "$scratch/assets"; exits 0
[ "$(find "$scratch/assets" -type d | wc -l)" = 1 ] || wrong "there are subdirectories"
export NIXW_CACHE="file://$scratch/assets $trusted"
run on new "$repository/nixw" build --no-link --max-jobs 0 "$repository#boot"; exits 0; says_not "nixw: fetching"
has new "$boot"
[ "$(built new)" = 0 ] || wrong "it has built something"
NIXW_CACHE="file://$scratch/assets" run "$repository/nixw" --version; exits 2; says "NIXW_CACHE must be the URL"
unset NIXW_CACHE
run "$repository/.ci/assets" "$scratch/assets" "$scratch/assets"; exits 2; says "is not empty"
run "$repository/.ci/assets" "$scratch/store" "$scratch/more"; exits 2; says "not a binary cache"
end

# --- a tampered cache ---

$good || summary distribution # there is no good one to tamper with

# Begins a case with a copy of the cache. $info is the file with the facts about the initramfs, and $nar has the initramfs.
tamper() {
  begin "a cache is refused $1"
  rm -rf "$scratch/bad"
  cp -r "$cache" "$scratch/bad"
  info=$scratch/bad/$(basename "$initramfs" | cut -c -32).narinfo
  nar=$scratch/bad/$(sed -n 's/^URL: //p' "$info")
}
change_byte() { printf '\377' | dd of="$nar" bs=1 seek=200 conv=notrunc 2>/dev/null; }
# Nix adds neither the initramfs nor anything that refers to it. Afterwards, it gets the right one from the good cache, whatever the
# refused one has left.
refused() {
  ! diff -rq "$cache" "$scratch/bad" >/dev/null || wrong "it is as it was"
  get "$scratch/bad" "$boot"
  [ "$status" != 0 ] || wrong "exit status 0"
  says "$1"
  lacks new "$initramfs"; lacks new "$boot"
  get "$cache" "$initramfs"; exits 0
  cmp "$scratch/here$initramfs" "$scratch/new$initramfs" >>"$log" 2>&1 || wrong "the good one is another"
  end
}

tamper "if a byte of an archive is changed"
change_byte
refused "hash mismatch"

tamper "if its hash is changed as well, because the signature is for the other"
change_byte
sed -i "s/^\(FileHash\|NarHash\): .*/\1: sha256:$(nix-hash --flat --type sha256 --base32 "$nar")/" "$info"
refused "not signed by any of the keys"

tamper "if the signature is that of another path"
sed -i "s|^Sig: .*|$(grep '^Sig' "$scratch/bad/$(basename "$boot" | cut -c -32).narinfo")|" "$info"
refused "not signed by any of the keys"

tamper "if there is no signature"
sed -i '/^Sig/d' "$info"
refused "not signed by any of the keys"

tamper "if the key is not one that is trusted"
rm -rf "$scratch/bad"
on here nix copy --to "file://$scratch/bad?compression=none&secret-key=$scratch/other.secret" "$boot" >"$log" 2>&1
refused "not signed by any of the keys"

summary distribution
