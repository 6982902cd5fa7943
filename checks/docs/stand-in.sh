#!/bin/sh
# ./nixw as the documents use it, where there is no Nix: what it would build is in the environment.
set -eu
case "$1 ${2-}" in
  "run .#boot") shift 2; [ "$#" = 0 ] || shift; exec boot --accel tcg "$@" ;;
  "run .#boot-um") exec "$um" ;;
  "run .#explain") shift 3; exec boot explain "$@" ;;
  "run .#matrix") shift 3; exec "$matrix" "$@" ;;
  "run .#run") shift 3; exec "$run" "$@" ;;
  "run .#packer") shift 3; exec packer "$@" ;;
  "build .#kernel.debug") ln -sfn "$debug" result-debug ;;
  "build .#kernel") ln -sfn "$kernel" result ;;
  "build .#init") ln -sfn "$init" result ;;
  "eval --raw") [ "$3" = .#defconfig.init.nolibc ]; echo "$nolibc" ;;
  # That is what this is part of.
  "flake check") ;;
  *) echo "nixw: checks/docs/stand-in.sh does not know: $*"; exit 2 ;;
esac
