#!/bin/sh
# settle.sh [TIMES [HOGS]]: the guests of checks/boot/settle.nix, TIMES times [1000], four at once, beside HOGS busy processes [0].
#
# .ci/run does not run it, because it takes minutes, and on a busy machine hours.
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
# The gcc of some distributions needs a libc otherwise.
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
