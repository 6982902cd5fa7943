# What this flake consists of, for one host system. outputs.nix makes the flake's outputs of it.
inputs: system:
let
  repositoryFiles = import ./repository-files.nix;
  toolchain = import ./toolchain { inherit system; };
  rust = import ./rust { inherit toolchain repositoryFiles; };
  lint = import ./lint { inherit rust toolchain repositoryFiles; };
  inherit (toolchain) program run shellWord textFile tools;

  inherit (toolchain.host) targets;
  # The default: the host's own architecture.
  target = targets.${toolchain.host.target};

  linux = import ./kernel/linux.nix { inherit inputs toolchain; };
  mkKernel = arguments: import ./kernel { inherit toolchain; } ({ src = linux.sourceFor arguments; } // arguments);
  mkInitramfs = import ./system/initramfs.nix { inherit run shellWord textFile tools; inherit (products) packer; };
  mkBoot = import ./system/boot.nix { inherit toolchain; runner = rust.packages.boot; };
  mkKernelLoop = import ./kernel/loop.nix { inherit toolchain mkBoot; };
  # What is booted, as files to take away, with their SHA-256.
  mkImage = { kernel, initramfs }: run "image" { inherit kernel initramfs; } ./system/image.sh;
  mkBench = import ./bench.nix { inherit toolchain rust targets run program mkInitramfs; inherit (library.lib) mkCInit; inherit (products) packer; };

  library = import ./lib { inherit linux toolchain rust targets mkKernel mkInitramfs mkBoot mkImage mkRun runKernels target; };
  examples = import ../examples { inherit (library) lib; inherit kernel-full toolchain; };

  # The system that this flake is about, for each target.
  guestSystems = builtins.mapAttrs
    (_: target: rec {
      init = rust.mkInit target;
      kernel = mkKernel { inherit target; };
      initramfs = mkInitramfs { inherit init; };
      boot = mkBoot { inherit kernel initramfs target; };
      image = mkImage { inherit kernel initramfs; };
      kernel-loop = mkKernelLoop { inherit initramfs target; };
    })
    targets;
  # The parts of the default target's system, and the programs for the host.
  products = guestSystems.${target.name} // {
    inherit (rust.packages) packer;
    inherit (toolchain) qemu;
  };

  # `boot run`, on user-mode Linux and in QEMU.
  mkRun = import ./system/run.nix { inherit toolchain targets mkInitramfs; inherit (rust) mkAgent; runner = rust.packages.boot; };
  # The kernel for everything that `boot` can attach to a guest, and for modules.
  kernel-full = library.lib.mkKernel { fragments = [ "unpack" "run" "userland" "net" "block" "smp" "modules" ]; };
  runFragments = [ ./kernel/unpack.config ./kernel/run.config ];
  runKernel = target: mkKernel { inherit target; fragments = runFragments; };
  # The targets whose programs the host runs itself, and the others.
  ofNative = wanted: removeAttrs targets (builtins.filter (name: targets.${name}.isNative != wanted) (builtins.attrNames targets));
  runKernels = builtins.mapAttrs (_: runKernel) (ofNative true);
  # bin/explain, which is `boot explain`.
  explain = toolchain.program "explain" "exec ${rust.packages.boot}/bin/boot explain \"$@\"";
  run-program = mkRun { kernels = runKernels; };
  # For programs of another architecture than the host's.
  foreignRuns = builtins.mapAttrs
    (name: target:
      let foreign = mkRun { kernels.${name} = runKernel target; }; in
      foreign // {
        check = import ../checks/boot/run/foreign.nix { inherit toolchain target; run-program = foreign; inherit (guestSystems.${name}) init; };
      })
    (ofNative false);

  # The default initramfs with another kernel: a package that boots it, with the kernel as `kernel`.
  onKernel = kernel: let boot = mkBoot { inherit kernel target; inherit (products) initramfs; }; in boot // { inherit kernel boot; };
  mainline = onKernel (mkKernel { src = inputs.linux-mainline; inherit target; });
  # The kernel and the init of the article that this project grew out of. They are for x86-64.
  defconfig = onKernel (mkKernel { inherit target; config = "x86_64_defconfig"; }) // {
    init = library.lib.mkCInit { src = ./system/article.c; };
    # `bench`, which measures these as well, and runs programs with virtme-ng.
    bench = mkBench {
      inherit guestSystems run-program;
      article = { inherit (defconfig) kernel; initramfs = mkInitramfs { inherit (defconfig) init; }; };
      virtmeKernel = mkKernel { inherit target; fragments = runFragments ++ [ ../bench/virtme.config ]; };
    };
  };

  mkDebug = import ./system/debug.nix { inherit program tools; gdb = toolchain.shell; };
  debug = mkDebug { inherit (products) boot kernel init; };
  debug-lines = mkDebug { inherit (products) boot kernel init; inherit (products.kernel) lines; };
  golden = import ./golden { inherit toolchain; } { inherit guestSystems targets; };
  shell = import ./shell.nix { inherit toolchain; kernel = products.kernel.${target.bootImage}; inherit (products) packer; inherit (rust.packages) boot; };
  bill = import ./bill { inherit linux rust toolchain versions; };
  ci = import ./ci { inherit program tools; };
  update = import ./toolchain/update.nix { inherit program tools; inherit (toolchain) keyring; inherit (rust.packages) update; };
  versions = import ./versions.nix { inherit linux toolchain; };

  inherit (import ./checks.nix {
    inherit inputs linux repositoryFiles toolchain rust lint targets target library mkKernel mkInitramfs mkBoot mkBench;
    inherit guestSystems products examples bill debug debug-lines explain kernel-full foreignRuns golden run-program shell;
  }) checks nightly;
  all-checks = run "all-checks" { checks = builtins.attrValues checks; } (builtins.toFile "all-checks.sh" "touch $out\n");
in
{
  inherit all-checks bill checks ci debug debug-lines defconfig examples explain foreignRuns golden guestSystems kernel-full library lint mainline mkBench nightly products run-program runKernels shell target targets update versions;
}
