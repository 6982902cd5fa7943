# Protects /nix/store from a script in which Nix builds for another store (`local?root=DIR` or `--store DIR`). The script sources this
# file first. It runs the script again, in a mount namespace where /nix/store is read-only.
#
# Nix 2.8, 2.26 and 2.34 have a fault that makes this necessary. If Nix can make no sandbox and builds without one
# (`sandbox-fallback`), builtin:fetchurl writes to /nix/store, whatever store it builds for. It truncates the file of that name, and if
# the download fails, the empty file stays, and valid. We saw a .deb of 0 bytes, with which nothing could be built any more.
#
# The mount is read-only only for the script and its children. Nix as root mounts /nix/store writable for itself where it works on it.

if ! awk '$5 == "/nix/store" { options = $6 } END { exit options !~ /(^|,)ro(,|$)/ }' /proc/self/mountinfo; then
  unshare --mount true 2>/dev/null || {
    echo "$0: cannot make a mount namespace, without which it might damage /nix/store; it takes root, in a container a privileged one" >&2
    exit 2
  }
  # shellcheck disable=SC2016 # for the inner shell
  exec unshare --mount sh -ec 'mount --bind /nix/store /nix/store; mount -o remount,bind,ro /nix/store; exec "$@"' sh "$0" "$@"
fi
