#!/bin/sh
# internet.sh SOURCES [SEED]: boots the system with plain Nix, from an empty store, as on a machine that reaches the internet, and prints
# how long that takes and what was asked for. docs/hosts.md has a result.
#
# SOURCES is a directory that nixw has filled (NIXW_SOURCES). A server on this machine has the names of Debian's permanent archive and of
# Nix's public cache, and a certificate that only this script's Nix trusts. Each third request for a file gets the status 429, and each
# seventh answer breaks off. The public cache has nothing. SEED is the file from which nix/toolchain/bootstrap.nix makes the first busybox; without
# it, the script adds busybox to the store. The crates come from cargo's registry, by the network that there is.
#
# .ci/run does not run it, because it compiles a kernel. It needs root, python3, openssl, dpkg-deb and 5 GB in TMPDIR.
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
[ -d "${1-}" ] || { echo "usage: maintenance/internet.sh SOURCES [SEED]" >&2; exit 2; }
sources=$(cd "$1" && pwd) seed=${2-}
scratch=$(mktemp -d)
server=''
trap '[ -z "$server" ] || kill "$server"; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
address=127.8.4.4
certificates=${NIX_SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=internet.sh -keyout "$scratch/key" -out "$scratch/certificate" \
  -addext subjectAltName=DNS:snapshot.debian.org,DNS:cache.nixos.org 2>"$scratch/openssl.log" || { cat "$scratch/openssl.log" >&2; exit 2; }
cat "$certificates" "$scratch/certificate" >"$scratch/certificates"
{ cat /etc/hosts; echo "$address snapshot.debian.org cache.nixos.org tarballs.nixos.org"; } >"$scratch/hosts"
python3 "$repository/maintenance/internet/server.py" "$address" "$scratch" "$sources" "$seed" >"$scratch/requests" 2>"$scratch/server.log" &
server=$!
mkdir -p "$scratch/nix" "$scratch/package" "$scratch/busybox-static/bin"
dpkg-deb -x "$sources"/busybox-static_*.deb "$scratch/package"
cp "$scratch/package/bin/busybox" "$scratch/busybox-static/bin/"

# What upstream's Nix has without any file nix.conf, and the certificates. Root builds as root.
cat >"$scratch/nix.conf" <<CONF
experimental-features = nix-command flakes
build-users-group =
sandbox = true
sandbox-fallback = false
max-jobs = 1
substituters = https://cache.nixos.org/
extra-sandbox-paths = /bin/sh=$scratch/package/bin/busybox /etc/ssl/certs/ca-certificates.crt=$scratch/certificates
CONF
begun=$(date +%s)
# shellcheck disable=SC2016 # for the inner shell
scratch=$scratch seed=$seed repository=$repository unshare --mount sh -euc '
  mount --bind "$scratch/nix" /nix
  mount --bind "$scratch/hosts" /etc/hosts
  export NIX_CONF_DIR="$scratch" NIX_SSL_CERT_FILE="$scratch/certificates" XDG_CACHE_HOME="$scratch/cache"
  [ -n "$seed" ] || nix-store --add-fixed --recursive sha256 "$scratch/busybox-static" >&2
  nix run "git+file://$repository#boot" -- --accel tcg --expect "Hello, world!" </dev/null
' >"$scratch/log" 2>&1 || { tail -n 30 "$scratch/log" "$scratch/server.log"; exit 1; }
grep -q 'boot: saw "Hello, world!"' "$scratch/log" || { tail "$scratch/log"; exit 1; }

echo "$(nix --version), $(git -C "$repository" rev-parse --short HEAD), $(date -I): the first boot took $(($(date +%s) - begun)) s."
[ -n "$seed" ] || echo "busybox was added to the store before."
echo "The answers of the server, by host and status (206: the rest of a file):"
sort "$scratch/requests" | uniq -c
