#!/bin/sh
# kernels.sh TREE...: the builder and the fragments work with Linux of other ages. From each TREE, a directory or a release's tarball,
# the small kernel is built in place of the flake's, both of its images are booted until they say "Hello, world!", and all fragments
# are resolved, for every target. What was found becomes a row of the table in docs/kernels.md.
#
# Neither a check of the flake nor a test that .ci/run runs: a kernel takes minutes, and its source is not among those that the locks name.
# Needs root, and no daemon: only then is the processor time that it sees that of the builds.
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
[ $# -gt 0 ] || { echo "usage: maintenance/kernels.sh TREE..., each a directory or a tarball of Linux's source"; exit 2; }
# shellcheck source=tests/cases.sh
. "$repository/tests/cases.sh"
prepare() { :; }
table=$repository/docs/kernels.md

# flake COMMAND ARGUMENT...: of nix, in this repository, with the tree in the store at $source as its Linux.
flake() {
  command=$1
  shift
  (cd "$repository" && ./nixw "$command" --no-write-lock-file --override-input linux "path:$source" "$@") </dev/null
}
run() { status=0; "$@" >>"$log" 2>&1 || status=$?; }

# Processor seconds of what ran between two files that `times` wrote, of the shell's children.
spent() {
  awk 'FNR == 2 { for (i = 1; i <= 2; i++) { split($i, part, /[ms]/); sum += (NR == FNR ? -1 : 1) * (60 * part[1] + part[2]) } }
    END { printf "%.0f", sum }' "$1" "$2"
}

# The table with a row more, or another one for the same version, in order.
record() {
  { grep '^| [0-9]' "$table" | grep -vF "| $version |" || :; echo "$1"; } | sort -V >"$scratch/rows"
  awk -v rows="$scratch/rows" '
    /^\| [0-9]/ { next }
    { print }
    /^\| ---/ && header ~ /^\| Linux / { while ((getline row < rows) > 0) print row }
    { header = $0 }' "$table" >"$scratch/table"
  cat "$scratch/table" >"$table"
}

# A source tree as a flake's input has it: in the store, as "source".
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
  # The tools first, so that the time is the kernel's alone. If that is there already, it is built once more, and compared.
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
