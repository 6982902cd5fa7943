#!/bin/sh
# The evaluation of the flake needs no network, all outputs have descriptions, and a change rebuilds only what depends on it.
#
# This is no check of the flake, because the sandbox has no Nix. .ci/run runs it. It needs root, and a store that nixw has filled.
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/cases.sh
. "$repository/tests/cases.sh"
prepare() { :; }

# --- functions of the tests ---

# A copy of the repository to make changes in.
copy_repository "$scratch/copy"

# paths FILE COMMAND...: writes to FILE the store paths of the copy's outputs (evaluation/paths.nix). COMMAND runs Nix.
paths() {
  to=$1
  shift
  "$@" nix eval --impure --raw --expr "import \"$repository/tests/evaluation/paths.nix\" { flake = \"git+file://$copy\"; }" >"$to"
}
alone() { XDG_CACHE_HOME=$(mktemp -d -p "$scratch") unshare --net "$@"; }

# change FILE LINE: adds LINE to FILE, and sets `changed` to the names of the outputs whose paths change.
change() {
  echo "$2" >>"$copy/$1"
  paths "$scratch/after"
  in_copy checkout -q .
  changed=$(diff "$scratch/before" "$scratch/after" | sed -n 's/^> \([^ ]*\) .*/\1/p')
}
stays() { for each; do ! echo "$changed" | grep -qx "$each" || wrong "$(echo "$changed" | grep -x "$each" | tr '\n' ' ')would be rebuilt"; done; }
changes() { for each; do echo "$changed" | grep -qx "$each" || wrong "$each would stay as it is"; done; }

# --- the tests ---

begin "an empty cache and no network are enough to evaluate everything"
[ "$(alone sed 1d /proc/net/route)" = "" ] || wrong "there is a route"
start=$(date +%s.%N)
paths "$scratch/before" alone 2>"$log" || wrong "it fails"
cold=$(date +%s.%N)
for kind in packages checks devShells apps .; do grep -q "^$kind/.* /nix/store/" "$scratch/before" || wrong "nothing of $kind"; done
end

begin "with a cache and whatever network there is, it is the same"
paths "$scratch/after" env 2>"$log" || wrong "it fails"
warm=$(date +%s.%N)
cmp -s "$scratch/before" "$scratch/after" || wrong "$(diff "$scratch/before" "$scratch/after")"
end
awk -v start="$start" -v cold="$cold" -v warm="$warm" -v lines="$(wc -l <"$scratch/before")" \
  'BEGIN { printf "%d derivations evaluated: %.1f s with an empty cache, %.1f s then\n", lines, cold - start, warm - cold }'

begin "all outputs for an aarch64 host evaluate, and without a network"
alone nix eval --impure --raw --expr "import \"$repository/tests/evaluation/paths.nix\" { flake = \"git+file://$copy\"; system = \"aarch64-linux\"; }" \
  >"$scratch/aarch64" 2>"$log" || wrong "it fails"
for output in packages/boot packages/init-x86_64 packages/run-x86_64 checks/golden apps/boot devShells/default ./formatter; do
  grep -q "^$output /nix/store/" "$scratch/aarch64" || wrong "there is no $output"
done
# It needs no program for another host.
drv=$(nix eval --raw "git+file://$copy#legacyPackages.aarch64-linux.all-checks.drvPath" 2>"$log") || wrong "the checks have no .drv"
nix-store --query --requisites "$drv" >"$scratch/requisites"
grep -q '_arm64[.]deb[.]drv$' "$scratch/requisites" || wrong "it needs no package for arm64"
! grep '_amd64[.]deb[.]drv$' "$scratch/requisites" >>"$log" || wrong "it needs packages for amd64"
# User-mode Linux is there for x86-64 alone.
! grep -E '^[^ ]*[/-]um ' "$scratch/aarch64" >>"$log" || wrong "there is user-mode Linux"
end

begin "the locks of all hosts have the same version of each package"
nix eval --impure --raw --expr "import \"$repository/tests/evaluation/versions.nix\" { root = $copy; }" >"$scratch/versions" 2>"$log" || wrong "it fails"
[ ! -s "$scratch/versions" ] || wrong "these differ: $(cat "$scratch/versions")"
end

begin "nixw takes another Linux"
mkdir "$scratch/linux"
locked=$(cd "$copy" && ./nixw eval --raw .#kernel.drvPath 2>"$log") || wrong "it fails without one"
other=$(cd "$copy" && ./nixw eval --raw --no-write-lock-file --override-input linux "path:$scratch/linux" .#kernel.drvPath 2>"$log") ||
  wrong "it fails"
[ "$other" != "$locked" ] || wrong "it is $locked"
end

# source_of INPUTS EXPRESSION: the source of a kernel, in a flake of a user with these additional INPUTS.
source_of() {
  mkdir -p "$scratch/user/mine"
  cat >"$scratch/user/flake.nix" <<NIX
{
  inputs.simplest-linux.url = "git+file://$copy";
  $1
  outputs = { simplest-linux, ... }: let lib = simplest-linux.lib.x86_64-linux; in { src = ($2).src; };
}
NIX
  rm -f "$scratch/user/flake.lock"
  nix eval --raw "path:$scratch/user#src" 2>"$log" || wrong "does not evaluate: $2"
}
is_tree() { case $1 in *[-/]"$2") ;; *) wrong "the source is $1, and not $2" ;; esac; }

begin "a flake of a user names another Linux, or takes the pinned one: the whole, if a fragment may ask for anything"
is_tree "$(source_of "inputs.simplest-linux.inputs.linux.url = \"path:$scratch/linux\";" 'lib.mkKernel { fragments = [ "net" ]; }')" source
is_tree "$(source_of '' 'lib.mkKernel { fragments = [ "net" ]; }')" linux-pruned
is_tree "$(source_of '' 'lib.mkKernel { fragments = [ "net" "CONFIG_DRM=y" ]; }')" linux
is_tree "$(source_of '' 'lib.mkKernel { fragments = [ ./my.config ]; }')" linux
is_tree "$(source_of '' 'lib.mkKernel { src = ./mine; }')" mine
end

begin "every output has a description"
nix eval --impure --raw --expr "import \"$repository/tests/evaluation/undescribed.nix\" { flake = \"git+file://$copy\"; }" >"$scratch/undescribed" 2>"$log" ||
  wrong "it fails"
[ ! -s "$scratch/undescribed" ] || wrong "these have none: $(tr '\n' ' ' <"$scratch/undescribed")"
end

begin "the overlay has the packages and the library"
nix eval --impure --raw --expr "import \"$repository/tests/evaluation/overlay.nix\" { flake = \"git+file://$copy\"; }" >"$scratch/overlay" 2>"$log" ||
  wrong "it fails"
sed -n 's#^packages/##p' "$scratch/before" | diff "$scratch/overlay" - >>"$log" || wrong "it has (<), the flake has (>)"
end

begin "a change in README.md rebuilds only the checks of documents"
change README.md "More."
[ "$(echo "$changed" | tr '\n' ' ')" = "checks/docs checks/links " ] || wrong "instead of checks/docs and checks/links: $changed"
end

begin "a change in packer/ rebuilds neither the kernel nor init nor the dependencies"
change packer/src/lib.rs "// More."
stays packages/kernel packages/init packages/qemu ./dependencies ./formatter
changes packages/packer packages/initramfs checks/test
end

begin "a change in init/ rebuilds neither the kernel nor packer nor the dependencies"
change init/src/main.rs "// More."
stays packages/kernel packages/packer packages/qemu ./dependencies ./formatter
changes packages/init packages/initramfs packages/boot checks/test
end

begin "a change in boot/ rebuilds nothing of the guest"
change boot/src/lib.rs "// More."
stays packages/kernel packages/init packages/packer packages/initramfs packages/image ./dependencies
changes packages/boot checks/hello
end

begin "a change in checks/ rebuilds no package"
change checks/boot/hello.nix "# More."
stays 'packages/.*' 'apps/.*' 'devShells/.*' ./dependencies
changes checks/deadnix
end

begin "another version of the linters of the Nix code rebuilds nothing else"
change nix/lint/Cargo.toml "# More."
stays 'packages/.*' 'apps/.*' 'devShells/.*' ./dependencies checks/test checks/hello
changes ./formatter checks/deadnix
end

begin "another kernel rebuilds neither Rust nor QEMU"
change nix/kernel/base.config "# More."
stays packages/init packages/packer packages/initramfs packages/qemu ./dependencies checks/test
changes packages/kernel packages/boot checks/hello
end

summary evaluation
