#!/bin/sh
# settle.sh [TIMES [JOBS]]: boots the guests of checks/boot/settle.nix, each TIMES times [1000], JOBS of them at once [4]. With 30
# jobs the machine is busy: its load is 30 and more.
#
# .ci/run does not run it, because it takes half an hour and more.
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
times=${1:-1000} jobs=${2:-4}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

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
cd "$scratch"
# shellcheck source=checks/boot/settle/guests.sh
. "$repository/checks/boot/settle/guests.sh"
