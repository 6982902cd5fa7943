#!/bin/sh
# other-architecture.sh [--initramfs] [--kernel]: on an x86-64 machine, builds the init of each target as an aarch64 machine builds it, and
# compares it with checks/golden.json, which records what an x86-64 machine builds. With --initramfs, also the archive and the initramfs
# of each target, for which packer is compiled; with --kernel, the kernel for x86-64.
#
# All builders are programs for aarch64, which QEMU translates (qemu-user-static), so this is slow. It needs root and a kernel with
# binfmt_misc. It registers QEMU there, and removes it again. docs/targets.md has what was seen.
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
binfmt=/proc/sys/fs/binfmt_misc
qemu=$(command -v qemu-aarch64-static) || { echo "$0: there is no qemu-aarch64-static; apt-get install qemu-user-static" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "$0: needs root, to register QEMU as the loader of programs for aarch64" >&2; exit 2; }
initramfs=false kernel=false
for word; do
  case $word in
    --initramfs) initramfs=true ;;
    --kernel) kernel=true ;;
    *) echo "usage: $0 [--initramfs] [--kernel]" >&2; exit 2 ;;
  esac
done

scratch=$(mktemp -d)
registered=
clean() {
  [ -z "$registered" ] || echo -1 >"$binfmt/$registered"
  rm -rf "$scratch"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

[ -e "$binfmt/register" ] || mount -t binfmt_misc none "$binfmt"
for entry in "$binfmt"/*; do
  ! grep -q 'magic 7f454c460201010000000000000000000200b7' "$entry" 2>/dev/null || found=$entry
done
if [ -n "${found-}" ]; then
  # P: without argv[0], busybox does not know which of its programs is meant ("sh: illegal option -J"). F: the sandbox does not have QEMU.
  for flag in P F; do
    grep -q "^flags: .*$flag" "$found" || { echo "$0: $found lacks the flag $flag; remove it (echo -1 >$found), and repeat this" >&2; exit 2; }
  done
else
  # The ELF header of a program for aarch64, and which of its bits count. The kernel reads the \x.
  printf '%s' ":simplest-linux:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:$qemu:PF" \
    >"$binfmt/register"
  registered=simplest-linux
fi

NIX_CONFIG="${NIX_CONFIG-}
extra-platforms = aarch64-linux"
export NIX_CONFIG
cd "$repository"

# store ARGUMENT...: builds what they name, and prints its path.
store() {
  ./nixw build --out-link "$scratch/result" --print-build-logs "$@" </dev/null >&2
  readlink "$scratch/result"
}
package() { store ".#packages.aarch64-linux.$1"; }
# compare TARGET NAME: compares the SHA-256 of standard input with that in golden.json.
failed=false
compare() {
  hash=$(sha256sum | cut -d ' ' -f 1)
  recorded=$(sed -n "/^  \"$1\": {/,/^  }/s/^    \"$2\": \"\(.*\)\".*/\1/p" checks/golden.json)
  [ -n "$recorded" ] || { echo "$0: checks/golden.json has no $2 of $1" >&2; exit 2; }
  if [ "$hash" = "$recorded" ]; then same=same; else same=other failed=true; fi
  printf '%-8s %-10s %s %s\n' "$1" "$2" "$same" "$hash"
}

for target in x86_64 aarch64 riscv64; do
  # The host's own target has the plain names.
  suffix=-$target
  [ $target != aarch64 ] || suffix=
  init=$(store --impure --file maintenance/other-architecture.nix --argstr flake "git+file://$repository" $target)
  compare $target init <"$init/bin/init"
  $initramfs || continue
  file=$(package "initramfs$suffix")
  gunzip <"$file" >"$scratch/archive"
  compare $target archive <"$scratch/archive"
  compare $target initramfs <"$file"
done
if $kernel; then
  image=$(package kernel-x86_64)
  for file in config vmlinux bzImage; do compare x86_64 $file <"$image/$file"; done
fi
[ $failed = false ]
