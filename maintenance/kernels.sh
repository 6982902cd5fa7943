#!/bin/sh
# kernels.sh TREE...: tests other versions of Linux. Each TREE is a directory or a release's tarball. The script builds the small
# kernel from it, boots both of its images until they print "Hello, world!", and resolves all fragments for every target. It writes the
# results into the table in docs/kernels.md.
#
# .ci/run does not run it, because a kernel takes minutes, and the locks do not name its source. It needs root, and a machine without a
# nix-daemon, whose processor time it could not measure.
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
[ $# -gt 0 ] || { echo "usage: maintenance/kernels.sh TREE..., each a directory or a tarball of Linux's source"; exit 2; }
# shellcheck source=tests/cases.sh
. "$repository/tests/cases.sh"
prepare() { :; }
table=$repository/docs/kernels.md

# flake COMMAND ARGUMENT...: runs nix in this repository, with the source tree $source, a store path, as Linux.
flake() {
  command=$1
  shift
  (cd "$repository" && ./nixw "$command" --no-write-lock-file --override-input linux "path:$source" "$@") </dev/null
}
run() { status=0; "$@" >>"$log" 2>&1 || status=$?; }

# spent BEFORE AFTER: the processor seconds of the shell's children between two outputs of `times`.
spent() {
  awk 'FNR == 2 { for (i = 1; i <= 2; i++) { split($i, part, /[ms]/); sum += (NR == FNR ? -1 : 1) * (60 * part[1] + part[2]) } }
    END { printf "%.0f", sum }' "$1" "$2"
}

# record ROW: adds ROW to the table, in order, or replaces the row of the same version.
record() {
  { grep '^| [0-9]' "$table" | grep -vF "| $version |" || :; echo "$1"; } | sort -V >"$scratch/rows"
  awk -v rows="$scratch/rows" '
    /^\| [0-9]/ { next }
    { print }
    /^\| ---/ && header ~ /^\| Linux / { while ((getline row < rows) > 0) print row }
    { header = $0 }' "$table" >"$scratch/table"
  cat "$scratch/table" >"$table"
}

# Adds a source tree to the store under the name "source", as a flake's input.
add() {
  case $1 in
    /nix/store/*-source) echo "$1" ;;
    *.tar.*) nix-prefetch-url --unpack --print-path --name source "file://$(realpath "$1")" | tail -n 1 ;;
    *) nix store add-path --name source "$1" ;;
  esac
}

for tree; do
  source=$(add "$tree" 2>"$scratch/add") || { cat "$scratch/add"; exit 2; }
  version=$(awk '/^(VERSION|PATCHLEVEL|SUBLEVEL) =/ { number = number dot $3; dot = "." }
    /^EXTRAVERSION =/ { print number $3; exit }' "$source/Makefile")
  passed=$passes

  begin "Linux $version: builds"
  kernel=$(flake eval --raw .#kernel 2>>"$log") || wrong "does not evaluate"
  drv=$(flake eval --raw .#kernel.drvPath 2>>"$log") || wrong "does not evaluate"
  # The tools are built first, so that only the kernel's time is measured. If the kernel is in the store already, Nix builds it again and
  # compares.
  nix-store --query --references "$drv" | grep '[.]drv$' | xargs nix-store --realise >>"$log" 2>&1
  rebuild=
  ! nix-store --check-validity "$kernel" 2>/dev/null || rebuild=--rebuild
  times >"$scratch/before"
  # shellcheck disable=SC2086 # an option, or none
  run flake build --no-link $rebuild .#kernel; exits 0
  times >"$scratch/after"
  end
  $good || continue

  vmlinux=$(flake eval --raw .#kernel.vmlinux 2>/dev/null) bzImage=$(flake eval --raw .#kernel.bzImage 2>/dev/null)
  begin "Linux $version: vmlinux boots on a microvm"
  run flake run .#boot -- --accel tcg; exits 0; says "Linux version $version"; says 'boot: saw "Hello, world!"'
  end
  begin "Linux $version: bzImage boots on q35"
  run flake run .#boot -- --accel tcg --kernel "$bzImage" --machine q35; exits 0; says 'boot: saw "Hello, world!"'
  end

  begin "Linux $version: all fragments resolve"
  run flake build --no-link .#checks.x86_64-linux.fragments; exits 0
  end

  [ $((passes - passed)) = 4 ] || continue
  gcc=$(sed -n 's/^CONFIG_CC_VERSION_TEXT=".* \(.*\)"/\1/p' "$kernel/config") seconds=$(spent "$scratch/before" "$scratch/after")
  record "| $version | $gcc | $(stat -c %s "$vmlinux") | $(stat -c %s "$bzImage") | $seconds | yes | all |"
done

summary kernels
