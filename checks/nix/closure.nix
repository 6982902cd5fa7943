# `nix run .#boot` needs at most 64 MiB and no compiler to run, and each init is at most as large as its target allows. The
# programs abort when they panic, although their dependencies are compiled to unwind (nix/rust/workspace.nix).
{ products, guestSystems, targets, rust, toolchain }:
toolchain.run "closure"
{
  # INIT BYTES, for each target.
  inits = builtins.concatStringsSep "" (map (name: "${guestSystems.${name}.init}/bin/init ${toString targets.${name}.initSize}\n") (builtins.attrNames targets));
  programs = map (name: "${rust.packages.${name}}/bin/${name}") (builtins.attrNames rust.packages);
  PATH = "${toolchain.cc}/bin:${toolchain.tools}/bin";
  exportReferencesGraph = [ "graph" products.boot ];
}
  (builtins.toFile "closure.sh" ''
    # Each path stands in the graph for itself and wherever something refers to it.
    grep "^$NIX_STORE/" graph | grep -v '[.]drv$' | sort -u > paths
    find $(cat paths) -type f -exec stat -c %s {} + > sizes
    awk '{ bytes += $1 } END { printf "%.1f MiB in %d files\n", bytes / 1048576, NR; exit bytes > 64 * 1048576 }' sizes
    if grep -E -e '-(cc.*|rust.*|lint|lld|kbuild|qemu-.*|crates-.*|source)$' paths; then echo "must not be in there"; exit 1; fi
    printf %s "$inits" | while read -r init bytes; do [ "$(stat -c %s $init)" -le $bytes ]; done
    for program in $programs; do
      readelf -W --dyn-syms $program >symbols
      grep -q ' _Unwind_Backtrace@' symbols
      if grep ' _Unwind_RaiseException@' symbols; then echo "$program does not abort when it panics"; exit 1; fi
    done
    cp paths $out
  '')
