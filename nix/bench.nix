# mkBench { kernel, initramfs }: bin/bench, the benchmarks, with what they measure and the peers of that. `article`, a kernel and
# an initramfs, makes `bench boot` measure these as well.
{ toolchain, rust, packer, run, program }:
{ kernel, initramfs, article ? null }:
let
  inherit (toolchain) cc peers qemu shell tools;
  PATH = builtins.concatStringsSep ":" (map (tree: "${tree}/bin") [ packer rust.threecpio peers qemu shell tools ]);

  # QEMU's TCG takes it as a plugin.
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
  export BENCH_VMLINUX="''${BENCH_VMLINUX-${kernel.vmlinux}}" BENCH_BZIMAGE="''${BENCH_BZIMAGE-${kernel.bzImage}}"
  export BENCH_INITRD="''${BENCH_INITRD-${initramfs}}" BENCH_COUNT="''${BENCH_COUNT-${count}}"
  ${if article == null then "" else "export BENCH_ARTICLE_KERNEL=${article.kernel.bzImage} BENCH_ARTICLE_INITRD=${article.initramfs}"}
  PATH=${PATH} exec ${rust.packages.bench}/bin/bench "$@"
''
