#!/bin/sh
# makers.sh [SUITE [MIRROR]]: makes images with the initramfs makers of Debian, and unpacks each with packer and with other programs, and
# prints the table of docs/packer.md. SUITE is Debian's (bookworm, unless given), and MIRROR is where debootstrap takes it from (apt's,
# unless given).
#
# "same" means: the same paths, file types, modes, owners, times, link counts, targets of symbolic links, and SHA-256 of all contents. With
# "same (1)", only the times of directories differ. Otherwise, the script prints the number of lines in which the results differ, and the
# first of them on stderr.
#
# It needs root, debootstrap, 3 GB in TMPDIR, and packer, 3cpio and lzop in PATH. MAKERS_MACHINE names a tree that an earlier run has left
# (MAKERS_KEEP=1), in place of a new one. .ci/run does not run this script, because it needs a network.
set -eu

suite=${1:-bookworm}
# shellcheck disable=SC2016 # apt's placeholder
mirror=${2:-$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)}
scratch=$(mktemp -d)
machine=${MAKERS_MACHINE-$scratch/machine}
finish() {
  umount "$machine/proc" 2>/dev/null || true
  [ -n "${MAKERS_KEEP-}" ] || rm -rf "$scratch"
}
trap finish EXIT

on_machine() { chroot "$machine" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }

if [ -z "${MAKERS_MACHINE-}" ]; then
  debootstrap --variant=minbase --include=bzip2,cpio,libarchive-tools,lz4,lzop,xz-utils,zstd "$suite" "$machine" "$mirror" >"$scratch/log" || {
    cat "$scratch/log" >&2
    exit 2
  }
  mount -t proc proc "$machine/proc"
  {
    on_machine apt-get install -y --no-install-recommends busybox initramfs-tools linux-image-cloud-amd64
    on_machine apt-get install -y --no-install-recommends dracut-core tiny-initramfs-core
    on_machine apt-get install -y --no-install-recommends debian-installer-12-netboot-amd64
  } >>"$scratch/log" 2>&1 || {
    tail -n 20 "$scratch/log" >&2
    exit 2
  }
else
  mountpoint -q "$machine/proc" || mount -t proc proc "$machine/proc"
fi
kernel=$(on_machine sh -c 'ls /lib/modules')
images=$machine/root/images
rm -rf "$images"
mkdir "$images"

# made NAME COMMAND...: runs a command that makes /root/images/NAME.
made() {
  name=$1
  shift
  if ! on_machine "$@" >"$scratch/log" 2>&1 || ! [ -s "$images/$name" ]; then
    echo "$name: cannot be made: $(tail -n 1 "$scratch/log")" >&2
    rm -f "$images/$name"
  fi
}
for compression in gzip bzip2 lz4 lzma lzop xz zstd; do
  made initramfs-tools-$compression mkinitramfs -c $compression -o /root/images/initramfs-tools-$compression "$kernel"
  option=--$compression
  [ $compression != lzop ] || option=--lzo
  made dracut-$compression dracut --force --no-hostonly --no-early-microcode --modules base $option \
    /root/images/dracut-$compression "$kernel"
done
made tiny-initramfs mktirfs -o /root/images/tiny-initramfs "$kernel"
for flavour in text gtk; do
  cp "$machine/usr/lib/debian-installer/images/12/amd64/$flavour/debian-installer/amd64/initrd.gz" "$images/installer-$flavour" || true
done

# shown DIRECTORY: all that an image has.
shown() {
  (
    cd "$1"
    find . -mindepth 1 ! -type l -printf '%P %y %m %U:%G %Ts %n\n' | sort
    # The time of a symbolic link is not in this: GNU cpio and bsdcpio do not set it.
    find . -type l -printf '%P %y %U:%G -> %l\n' | sort
    find . -type f -exec sha256sum {} + | sort -k 2
  )
}
without_directory_times() { sed -E 's/^(.* d [0-7]+ [0-9]+:[0-9]+) [0-9]+/\1/' "$1"; }
# compare PROGRAM: whether the program has unpacked to $there what packer has unpacked.
compare() {
  shown "$there" >"$scratch/there"
  if cmp -s "$scratch/here" "$scratch/there"; then
    echo same
  elif without_directory_times "$scratch/here" >"$scratch/a"; without_directory_times "$scratch/there" | cmp -s "$scratch/a" -; then
    echo "same (1)"
  else
    { echo "$image: $1:"; diff "$scratch/here" "$scratch/there" | head -n 4 | cut -c 1-200; } >&2
    diff "$scratch/here" "$scratch/there" | grep -c '^[<>]'
  fi
}
# unpacked: the last segment of the image on stdout, decompressed.
unpacked() {
  # shellcheck disable=SC2046 # two fields
  set -- $(packer list --segments "$file" | tail -n 1 | cut -d ' ' -f 1,3)
  case $2 in
    none) cat="cat" ;;
    bzip2) cat="bzip2 -dc" ;;
    gzip) cat="gzip -dc" ;;
    lz4) cat="lz4 -dcq" ;;
    lzma) cat="xz --format=lzma -dc" ;;
    lzo) cat="lzop -dc" ;;
    xz) cat="xz -dc" ;;
    zstd) cat="zstd -dcq" ;;
  esac
  # shellcheck disable=SC2086 # a command with options
  tail -c +$(($1 + 1)) "$file" | on_machine $cat
}
fresh() { rm -rf "$there"; mkdir "$there"; }
# tried PROGRAM COMMAND...: compares what COMMAND unpacks to $there, or prints its last message if it fails.
tried() {
  program=$1
  shift
  fresh
  if "$@" 2>"$scratch/log"; then compare "$program"; else tail -n 1 "$scratch/log"; fi
}
# unmkinitramfs makes a directory for each archive if there are several.
unmkinitramfs_there() {
  on_machine unmkinitramfs "/root/images/$image" /root/there || return
  [ -d "$there/main" ] || return 0
  mv "$there" "$there.parts"
  mkdir "$there"
  for part in "$there".parts/*; do cp -a "$part/." "$there"; done
  rm -rf "$there.parts"
}
gnu_cpio_there() { unpacked | on_machine sh -c 'cd /root/there && cpio -idm --quiet --no-absolute-filenames'; }
bsdcpio_there() { unpacked | on_machine sh -c 'cd /root/there && bsdcpio -idm --quiet'; }

echo "| image | segments | entries | packer verify | GNU cpio | bsdcpio | 3cpio | unmkinitramfs | lsinitramfs |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
there=$machine/root/there
for file in "$images"/*; do
  image=$(basename "$file")
  rm -rf "$scratch/here.d"
  packer extract "$file" "$scratch/here.d"
  shown "$scratch/here.d" >"$scratch/here"
  verdict=$(packer verify "$file" 2>&1 | sed 's/^[^ ]*: ok,.*/ok/' | sort -u | head -n 1)
  segments=$(packer list --segments "$file" | cut -d ' ' -f 3 | tr '\n' ' ')
  entries=$(packer list "$file" | wc -l)
  gnu=- bsd=-
  # These read one archive.
  if [ "$(packer list --segments "$file" | wc -l)" = 1 ]; then
    gnu=$(tried "GNU cpio" gnu_cpio_there)
    bsd=$(tried bsdcpio bsdcpio_there)
  fi
  three=$(tried 3cpio 3cpio --extract --preserve-permissions -C "$there" "$file")
  unmk=$(tried unmkinitramfs unmkinitramfs_there)
  packer list "$file" | sed 's/^[^ ]* [^ ]* [^ ]* [^ ]* //; s/ -> .*//; s#^/##; /^$/d' | sort -u >"$scratch/names"
  ls="other names"
  if on_machine lsinitramfs "/root/images/$image" | sed 's#^\./##; s#^/##; /^\.$/d' | sort -u | cmp -s - "$scratch/names"; then ls=same; fi
  echo "| $image | $segments| $entries | $verdict | $gnu | $bsd | $three | $unmk | $ls |"
done
