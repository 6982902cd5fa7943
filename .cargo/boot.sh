#!/bin/sh
# boot.sh PROGRAM [BOOT'S OPTIONS]: packs what cargo has built into an initramfs beside it, as /init, and boots that.
set -eu

init=$1 initramfs=$1.cpio
shift

# `nix develop` says where the flake's kernel, boot and packer are, but does not wait for them.
if [ -z "${BOOT_KERNEL-}" ] && [ -n "${CARGO_BOOT_KERNEL-}" ]; then
  [ -e "$CARGO_BOOT_KERNEL" ] || ./nixw build --no-link .#kernel.vmlinux
  export BOOT_KERNEL="$CARGO_BOOT_KERNEL"
fi
programs=${CARGO_BOOT_PROGRAMS-}
if [ -z "$programs" ] || ! [ -x "${programs%%:*}/boot" ] || ! [ -x "${programs##*:}/packer" ]; then
  programs=$(dirname "$init") profile=dev
  case $programs in */release) profile=release ;; esac
  cargo build --quiet --profile "$profile" --package packer --package boot
fi

PATH=$programs:$PATH
packer create "$initramfs" --compress none --file "/init=$init:0755" --node /dev/console=c:5:1
exec boot --initrd "$initramfs" "$@"
