# bin/bench: the benchmarks, what they measure, and the peers of that.
{ toolchain, rust, packer }:
let
  inherit (toolchain) cc peers program shell tools;
  PATH = builtins.concatStringsSep ":" (map (tree: "${tree}/bin") [ packer rust.threecpio peers shell tools ]);
in
program "bench" ''
  # What packer packs: 470 MB in 2,000 files, from libraries of 100 MB to headers of a few bytes.
  export BENCH_TREE="''${BENCH_TREE-${toolchain.rust}/lib/x86_64-linux-gnu:${cc}}"
  PATH=${PATH} exec ${rust.packages.bench}/bin/bench "$@"
''
