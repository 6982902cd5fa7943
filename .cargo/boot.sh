#!/bin/sh
# boot.sh PROGRAM [BOOT'S OPTIONS]: packs what cargo has built into an initramfs beside it, as /init, and boots that, with packer and
# boot as they are here.
set -eu

init=$1 initramfs=$1.cpio programs=$(dirname "$1")
shift

# `nix develop` says where the flake's kernel is, but does not wait for it.
if [ -z "${BOOT_KERNEL-}" ] && [ -n "${CARGO_BOOT_KERNEL-}" ]; then
  [ -e "$CARGO_BOOT_KERNEL" ] || ./nixw build --no-link .#kernel.vmlinux
  export BOOT_KERNEL="$CARGO_BOOT_KERNEL"
fi

profile=dev
case $programs in */release) profile=release ;; esac
cargo build --quiet --profile "$profile" --package packer --package boot
"$programs/packer" create "$initramfs" --compress none --file "/init=$init:0755" --node /dev/console=c:5:1
exec "$programs/boot" --initrd "$initramfs" "$@"
