# mkBench { guestSystems, run-program ?, article ?, virtmeKernel ? }: bin/bench, the benchmarks, with our programs and the programs that they
# are compared with. `bench boot` measures the image of each target in `guestSystems`, and the kernel and initramfs in `article`. `bench
# run` measures `run-program`, and `virtmeKernel` with the user's virtme-ng.
{ toolchain, rust, targets, packer, run, program, mkInitramfs, mkCInit }:
{ guestSystems, run-program ? null, article ? null, virtmeKernel ? null }:
let
  inherit (toolchain) cc peers shell tools;
  PATH = builtins.concatStringsSep ":" (map (tree: "${tree}/bin") (qemus ++ [ packer rust.threecpio peers shell tools ]));
  qemus = map (name: toolchain.${targets.${name}.qemu or "qemu"}) (builtins.attrNames guestSystems);
  images = builtins.concatStringsSep "," (map (name: "${name}=${guestSystems.${name}.image}") (builtins.attrNames guestSystems));

  compile = name: source: options: run name { inherit source options; PATH = "${cc}/bin:${tools}/bin"; }
    (builtins.toFile "compile.sh" "gcc -O2 -Wall $options -o $out -x c $source\n");
  # A plugin for QEMU's TCG, which counts instructions.
  count = compile "count.so" ../bench/count.c "-shared -fPIC";
  # The program for `bench run`, and an initramfs that runs it without `boot run`.
  work = compile "work" ../bench/work.c "";
  plainInitrd = mkInitramfs { init = mkCInit { src = ../bench/init.c; }; programs = [ work ]; };

  # Each as a variable, unless the user has set it.
  export = variables: builtins.concatStringsSep "\n"
    (map (name: "export ${name}=\"\${${name}-${variables.${name}}}\"") (builtins.attrNames variables));
in
program "bench" ''
  ${export ({
    # What packer packs: 470 MB in 2,000 files, from libraries of 100 MB to headers of a few bytes.
    BENCH_TREE = "${toolchain.rust}/${toolchain.host.library}:${cc}";
    BENCH_SYSTEMS = images;
    BENCH_COUNT = "${count}";
  } // (if run-program == null then { } else {
    BENCH_RUN = "${run-program}/bin/run";
    BENCH_WORK = "${work}";
    BENCH_PLAIN_INITRD = "${plainInitrd}";
  }) // (if article == null then { } else {
    BENCH_ARTICLE_KERNEL = "${article.kernel.bzImage}";
    BENCH_ARTICLE_INITRD = "${article.initramfs}";
  }) // (if virtmeKernel == null then { } else {
    BENCH_VIRTME_KERNEL = "${virtmeKernel.bzImage}";
  }))}
  PATH=${PATH} exec ${rust.packages.bench}/bin/bench "$@"
''
