#!/bin/sh
# settle.sh [TIMES [HOGS]]: checks/boot/settle.nix TIMES times [1000], four at once, beside HOGS processes that do nothing but work [0].
#
# Neither a check of the flake nor a test that .ci/run runs: it takes minutes, and on a busy machine hours.
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
times=${1:-1000} hogs=${2:-0} jobs=4
scratch=$(mktemp -d)
pids=
# shellcheck disable=SC2086 # words
trap 'rm -rf "$scratch"; [ -z "$pids" ] || kill $pids' EXIT

store() {
  "$repository/nixw" build --no-link "$repository#$1" </dev/null
  "$repository/nixw" eval --raw "$repository#$1" </dev/null
}
boot=$(store boot) packer=$(store packer) header=$repository/checks/boot/broken/init.h gcc=gcc
PATH=$boot/bin:$packer/bin:$PATH
# Some distributions' asks for a libc.
gcc() { command gcc -fno-stack-protector "$@"; }
# shellcheck source=checks/boot/broken/make.sh
. "$repository/checks/boot/broken/make.sh"
for _ in $(seq "$hogs"); do
  while :; do :; done &
  pids="$pids $!"
done
cd "$scratch"
# shellcheck source=checks/boot/settle/guests.sh
. "$repository/checks/boot/settle/guests.sh"
