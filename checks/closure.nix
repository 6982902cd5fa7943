# What `nix run .#boot` needs to run is at most 64 MiB, with no compiler in it; init is at most 256 bytes.
{ self, toolchain }:
toolchain.run "closure"
{
  inherit (self) init;
  exportReferencesGraph = [ "graph" self.boot ];
}
  (builtins.toFile "closure.sh" ''
    # Each path stands in the graph for itself and wherever something refers to it.
    grep "^$NIX_STORE/" graph | grep -v '[.]drv$' | sort -u > paths
    find $(cat paths) -type f -exec stat -c %s {} + > sizes
    awk '{ bytes += $1 } END { printf "%.1f MiB in %d files\n", bytes / 1048576, NR; exit bytes > 64 * 1048576 }' sizes
    if grep -E -e '-(cc|rust|lint|kbuild|crates-.*|source)$' paths; then echo "must not be in there"; exit 1; fi
    [ "$(stat -c %s $init/bin/init)" -le 256 ]
    cp paths $out
  '')
