#!/bin/sh
# cold.sh [SUITE [MIRROR]]: measures the first minutes on a bare machine, and prints a table. SUITE is Debian's (bookworm, unless
# given), and MIRROR is where debootstrap takes it from (apt's, unless given).
#
# The bare machine is a new tree by debootstrap with the last commit of this repository, and no Nix. The script runs the first boot in it,
# then builds the kernel again, and then runs .ci/run. The kernel's build alone is the unit, K: machines differ by a factor of two, and
# ratios do not. Nothing else should run meanwhile. It takes half an hour, and needs root, debootstrap, curl and 10 GB in TMPDIR.
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
suite=${1:-bookworm}
# shellcheck disable=SC2016 # apt's placeholder
mirror=${2:-$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
machine=$scratch/machine

# on_machine COMMAND: runs a command of the shell in the repository on the bare machine. The tree is its root directory, so that Nix's
# sandbox works there.
on_machine() {
  # shellcheck disable=SC2016 # the inner shell's
  machine=$machine command=$1 unshare --mount --pid --fork --kill-child sh -ec '
    mount --make-rprivate /
    mount --bind "$machine" "$machine"
    mount --rbind /dev "$machine/dev"
    mount -t proc proc "$machine/proc"
    mount -t tmpfs tmpfs "$machine/tmp"
    mkdir -p "$machine/outside"
    cd "$machine"
    pivot_root . outside
    umount -l /outside
    cd /root/simplest-linux
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
      NIXW_SOURCES=/root/sources sh -ec "$command"
  ' </dev/null
}

# measure NAME COMMAND: runs COMMAND on the machine, and sets `seconds` and `spent`, its processor seconds. $scratch/NAME.log has its
# output, each line with the time in front.
measure() {
  echo "cold.sh: $1" >&2
  begun=$(date +%s)
  times >"$scratch/before"
  on_machine "{ $2; } 2>&1 | while IFS= read -r line; do echo \"\$(date +%s) \$line\"; done" >"$scratch/$1.log" || :
  times >"$scratch/after"
  seconds=$(($(date +%s) - begun))
  # The second lines, as 1m2.34s 0m5.67s, are the user and system times of this shell's children.
  spent=$(awk 'FNR == 2 { for (i = 1; i <= 2; i++) { split($i, part, /[ms]/); sum += (NR == FNR ? -1 : 1) * (60 * part[1] + part[2]) } }
    END { printf "%.0f", sum }' "$scratch/before" "$scratch/after")
}
# require NAME PATTERN: ends the script unless a line of NAME's output matches PATTERN.
require() {
  ! grep -q -e "$2" "$scratch/$1.log" || return 0
  tail -n 30 "$scratch/$1.log" >&2
  echo "cold.sh: $1: does not say: $2" >&2
  exit 1
}
of_k() { awk -v seconds="$1" -v k="$k" 'BEGIN { printf "%.2f", seconds / k }'; }

debootstrap --variant=minbase --include=curl,git,ca-certificates "$suite" "$machine" "$mirror" >"$scratch/debootstrap.log" 2>&1 ||
  { tail -n 20 "$scratch/debootstrap.log" >&2; exit 1; }
cp -L /etc/resolv.conf "$machine/etc/"
[ ! -e /etc/ssl/certs/ca-certificates.crt ] || cp -L /etc/ssl/certs/ca-certificates.crt "$machine/etc/ssl/certs/"
git clone -q --no-local "file://$repository" "$machine/root/simplest-linux"

measure boot './nixw run .#boot -- --expect "Hello, world!"'
require boot 'saw "Hello, world!"'
boot_begun=$begun boot_seconds=$seconds boot_spent=$spent
downloaded=$(du -s --apparent-size --block-size=1000000 "$machine/root/sources" | cut -f 1)
disk=$(du -s --block-size=1000000 "$machine/nix" | cut -f 1)

# What nixw says, and the builds that take longest: when Nix begins them, and when their results are in the store.
cp "$scratch/boot.log" "$machine/root/"
# shellcheck disable=SC2016 # the machine's shell's
on_machine 'sed -n "s#^\([0-9]*\) building .\(/nix/store/.*[.]drv\).*#\1 \2#p" /root/boot.log | while read -r begun drv; do
  out=$(nix-store --query --outputs "$drv" | head -n 1)
  ended=$(nix --extra-experimental-features nix-command path-info --json "$out" | sed "s/.*\"registrationTime\":\([0-9]*\).*/\1/")
  echo "$((ended - begun)) $begun ${drv#/nix/store/*-}"
done' 2>/dev/null | sort -rn | head -n 12 >"$scratch/builds"

measure kernel './nixw build --rebuild --no-link .#kernel && echo built'
require kernel ' built$'
k=$seconds k_spent=$spent

measure ci 'bash .ci/run'
require ci ' checks: .*, 0 failed$'

cat <<TABLE
On $(nproc) processors, $suite, $(git -C "$repository" rev-parse --short HEAD), $(date -I); K = $k s:

| | seconds | of K | processor seconds |
| --- | --- | --- | --- |
| the kernel's build alone | $k | 1 | $k_spent |
| the first boot, from the clone to "Hello, world!" | $boot_seconds | $(of_k "$boot_seconds") | $boot_spent |
| .ci/run after it | $seconds | $(of_k "$seconds") | $spent |

Downloaded for the first boot, besides Nix: $downloaded MB. /nix then has $disk MB.

The first boot, in seconds after its start:
$(sed -n 's/^\([0-9]*\) nixw: /\1 /p' "$scratch/boot.log" | awk -v start="$boot_begun" '{ $1 = sprintf("%6d", $1 - start); print }')
The builds that took longest, in seconds (two run at a time), and when they began:
$(awk -v start="$boot_begun" '{ printf "%6d  at %d: %s\n", $1, $2 - start, $3 }' "$scratch/builds")
TABLE
