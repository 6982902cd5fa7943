# For a script that has Nix build for a store elsewhere, as `local?root=DIR` or with `--store DIR`. Sourced before anything else, it
# starts the script again, where /nix/store is read-only, so that no fault of Nix or of the script reaches this machine's own store.
#
# Nix has one (seen in 2.8, 2.26 and 2.34): where it can make no sandbox, and does without (`sandbox-fallback`), builtin:fetchurl
# writes to /nix/store itself, whatever store it builds for. What is there already under the name of the download is cut to nothing,
# and if the download fails, it stays so, and valid. Seen: a .deb of 0 bytes, from which nothing could be built any more.
#
# Only for this script and what it runs. When Nix works on /nix/store as root, it makes itself a mount that can be written to.

if ! awk '$5 == "/nix/store" { options = $6 } END { exit options !~ /(^|,)ro(,|$)/ }' /proc/self/mountinfo; then
  unshare --mount true 2>/dev/null || {
    echo "$0: cannot make a mount namespace, without which it might damage /nix/store; it takes root, in a container a privileged one" >&2
    exit 2
  }
  # shellcheck disable=SC2016 # for the inner shell
  exec unshare --mount sh -ec 'mount --bind /nix/store /nix/store; mount -o remount,bind,ro /nix/store; exec "$@"' sh "$0" "$@"
fi
