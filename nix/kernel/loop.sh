# kernel-loop [--fragment NAME|FILE]... [--build DIRECTORY] TREE [BOOT'S OPTIONS]: builds the small kernel from the Linux tree TREE, and
# boots it. What is built stays in DIRECTORY, so that the next call only compiles what has changed. TREE itself stays as it is.
set -eu

say() { echo "kernel-loop: $*" >&2; }
die() { say "$@"; exit 2; }
usage="kernel-loop [--fragment NAME|FILE]... [--build DIRECTORY] TREE [BOOT'S OPTIONS]"

wanted=$base build=
while [ $# -gt 0 ]; do
  case $1 in
    --fragment)
      [ $# -gt 1 ] || die "--fragment: a name or a file is missing"
      fragment=$fragments/$2.config
      [ -e "$fragment" ] || fragment=$(realpath "$2" 2>/dev/null || echo "$2")
      [ -f "$fragment" ] || die "--fragment $2: no such file; there are also the fragments of docs/kernels.md"
      case $fragment in *[[:space:]]*) die "--fragment $2: the path has a blank; copy the file elsewhere" ;; esac
      wanted="$wanted $fragment"
      shift 2
      ;;
    --build) [ $# -gt 1 ] || die "--build: a directory is missing"; build=$2; shift 2 ;;
    --help | -h) echo "usage: $usage"; exit 0 ;;
    -*) die "$1: no such option. Usage: $usage. boot's options come after the tree" ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || die "no tree. Usage: $usage"
[ -f "$1/Kbuild" ] || die "$1: not a tree of Linux's source"
src=$(realpath "$1")
shift

# One directory for each tree and target.
[ -n "$build" ] || build=${XDG_CACHE_HOME:-${HOME:?is not set; name a directory with --build}/.cache}/simplest-linux/kernel-$target-$(echo "$src" | sha256sum | cut -c -12)
mkdir -p "$build" || die "$build: cannot make this directory"
build=$(realpath "$build")
# (Linux's Makefile refuses such paths.)
for path in "$src" "$build"; do case $path in *[[:space:]:]*) die "$path: make takes no path with a blank or a colon" ;; esac; done

NIX_BUILD_CORES=$(nproc)
# shellcheck source=nix/kernel/make.sh
. "$make"

# Configures again only if other options are asked for: after a configuration, make checks the options of every file.
# shellcheck disable=SC2086 # a list of files
sum=$(cat $wanted "$select" | sha256sum)
if [ ! -e "$build/.config" ] || [ "$sum" != "$(cat "$build/configured" 2>/dev/null)" ]; then
  say "configuring $src in $build"
  rm -f "$build/configured"
  # shellcheck disable=SC2086 # a list of files
  configure $wanted
  echo "$sum" >"$build/configured"
fi

start=$(date +%s.%N)
kernel_make "$(basename "$image")"
say "built in $(awk -v start="$start" -v end="$(date +%s.%N)" 'BEGIN { printf "%.1f", end - start }') s"
exec "$boot" --kernel "$build/$image" "$@"
