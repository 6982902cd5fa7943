#!/bin/sh
# loops.sh: measures how long developers wait from a change to its result, and prints a table. The unit is K, the time to build the small
# kernel alone, because machines differ.
#
# It works on a clone of the last commit, and changes a line before each command. Nothing else should run meanwhile. It takes more than half
# an hour, and needs root, curl, git and a store in which `nix flake check` has been built.
# shellcheck disable=SC2016 # the backquotes are for Markdown, and $n is for the inner shell
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
clone=$scratch/simplest-linux
git clone -q "file://$repository" "$clone"
cd "$clone"

now() { date +%s%N | cut -c 1-13; }
# took COMMAND: the milliseconds that the shell needs for COMMAND, which must succeed.
took() {
  begun=$(now)
  sh -ec "$1" >"$scratch/log" 2>&1 </dev/null || { tail -n 20 "$scratch/log" >&2; echo "loops.sh: fails: $1" >&2; exit 1; }
  echo $(($(now) - begun))
}
# row NAME CHANGE COMMAND: the median of three, each after CHANGE, in which $n is a number.
row() {
  echo "loops.sh: $1" >&2
  for n in 1 2 3; do
    export n
    sh -ec "$2"
    took "$3"
  done | sort -n | sed -n 2p >"$scratch/median"
  [ -s "$scratch/median" ] || exit 1
  awk -v name="$1" -v k="$k" '{ printf "| %s | %.1f | %.2f |\n", name, $1 / 1000, $1 / k }' "$scratch/median" >>"$scratch/rows"
}

k=$(took './nixw build --rebuild --no-link .#kernel')
line="echo \"// \$n\" >>"

row 'nothing: `nix run .#boot`' : './nixw run .#boot'
row '`init/`: `nix run .#boot`' "$line init/src/main.rs" './nixw run .#boot'

# A fresh target directory, as in a new clone.
row '`cargo boot`, for the first time' 'rm -rf target' './nixw develop --command cargo boot'
row '`init/`: `cargo boot`, with the shell of `nix develop`' "$line init/src/main.rs" './nixw develop --command cargo boot'

mkdir "$scratch/own"
cd "$scratch/own"
git init -q
nix="$clone/nixw"
"$nix" flake init -t "git+file://$clone#std" 2>/dev/null
git add -A
"$nix" flake lock --override-input simplest-linux "git+file://$clone" 2>/dev/null
row 'the template `std`: `nix run`' "$line src/main.rs" "$nix run"
cd "$clone"

cp -r "$(./nixw eval --raw .#kernel.src)" "$scratch/linux"
chmod -R u+w "$scratch/linux"
took "./nixw run .#kernel-loop -- --build $scratch/build $scratch/linux" >"$scratch/first"
row 'a tree of Linux: `kernel-loop`' "echo '/* '\$n' */' >>$scratch/linux/init/main.c" "./nixw run .#kernel-loop -- --build $scratch/build $scratch/linux"

# What the changes above have made new is not counted.
took './nixw flake check' >/dev/null
row 'nothing: `nix flake check`' : './nixw flake check'
row '`README.md`: `nix flake check`' 'echo $n >>README.md' './nixw flake check'
row '`init/`: `nix flake check`' "$line init/src/main.rs" './nixw flake check'
row '`packer/`: `nix flake check`' "$line packer/src/lib.rs" './nixw flake check'

cat <<TABLE
On $(nproc) processors, $(git rev-parse --short HEAD), $(date -I). K = $(awk -v k="$k" 'BEGIN { printf "%.0f", k / 1000 }') s; the first \`kernel-loop\` took $(awk '{ printf "%.0f", $1 / 1000 }' "$scratch/first") s.

| what has changed, and the command | seconds | of K |
| --- | --- | --- |
$(cat "$scratch/rows")
TABLE
