# mkBench { guestSystems, article ? }: bin/bench, the benchmarks, with our programs and the programs that they are compared with.
# `bench boot` measures the image of each target in `guestSystems`, and the kernel and initramfs in `article`.
{ toolchain, rust, targets, packer, run, program }:
{ guestSystems, article ? null }:
let
  inherit (toolchain) cc peers shell tools;
  PATH = builtins.concatStringsSep ":" (map (tree: "${tree}/bin") (qemus ++ [ packer rust.threecpio peers shell tools ]));
  qemus = map (name: toolchain.${targets.${name}.qemu or "qemu"}) (builtins.attrNames guestSystems);
  images = builtins.concatStringsSep "," (map (name: "${name}=${guestSystems.${name}.image}") (builtins.attrNames guestSystems));

  # A plugin for QEMU's TCG, which counts instructions.
  count = run "count.so"
    {
      PATH = "${cc}/bin:${tools}/bin";
      source = ../bench/count.c;
    }
    (builtins.toFile "count.sh" "gcc -O2 -Wall -shared -fPIC -o $out $source\n");
in
program "bench" ''
  # What packer packs: 470 MB in 2,000 files, from libraries of 100 MB to headers of a few bytes.
  export BENCH_TREE="''${BENCH_TREE-${toolchain.rust}/lib/x86_64-linux-gnu:${cc}}"
  export BENCH_SYSTEMS="''${BENCH_SYSTEMS-${images}}" BENCH_COUNT="''${BENCH_COUNT-${count}}"
  ${if article == null then "" else "export BENCH_ARTICLE_KERNEL=${article.kernel.bzImage} BENCH_ARTICLE_INITRD=${article.initramfs}"}
  PATH=${PATH} exec ${rust.packages.bench}/bin/bench "$@"
''
