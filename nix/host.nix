# The outputs for one host system.
inputs: system:
let
  source = import ./source.nix;
  toolchain = import ./toolchain { inherit system; };
  rust = import ./rust.nix { inherit toolchain source; };
  lint = import ./lint { inherit rust toolchain source; };
  inherit (toolchain) program run textFile tools;
  targets = import ./targets.nix;
  target = targets.x86_64;

  mkKernel = import ./kernel { inherit toolchain; };
  mkInitramfs = import ./initramfs.nix { inherit run textFile tools; inherit (self) packer; };
  mkBoot = import ./boot.nix { inherit toolchain; runner = rust.packages.boot; };
  mkImage = import ./image.nix { inherit run; };

  library = import ./lib { inherit inputs toolchain rust targets mkKernel mkInitramfs mkBoot mkImage; };

  examples = import ../examples { inherit (library) lib; inherit toolchain; };

  # The system that this flake is about, for each target.
  systems = builtins.mapAttrs
    (_: target: rec {
      init = rust.mkInit target;
      kernel = mkKernel { src = inputs.linux; inherit target; };
      initramfs = mkInitramfs { inherit init; };
      boot = mkBoot { inherit kernel initramfs target; };
      image = mkImage { inherit kernel initramfs; };
    })
    targets;
  # The default's, by the names of its packages.
  self = systems.${target.name} // {
    inherit (rust.packages) packer;
    inherit (toolchain) qemu;
  };
  # What `function` gives for each of the others, NAME-TARGET for NAME.
  others = function: builtins.foldl' (all: target: all // renamed target (function systems.${target})) { }
    (builtins.attrNames (removeAttrs systems [ target.name ]));
  renamed = target: set: builtins.listToAttrs (map (name: { name = "${name}-${target}"; value = set.${name}; }) (builtins.attrNames set));
  # Our initramfs with another kernel: to be run as it is, and by the parts' names.
  onKernel = kernel: let boot = mkBoot { inherit kernel target; inherit (self) initramfs; }; in boot // { inherit kernel boot; };
  mainline = onKernel (mkKernel { src = inputs.linux-mainline; inherit target; });
  # The kernel of the article that this grew out of, as a peer to measure by.
  defconfig = onKernel (mkKernel { src = inputs.linux; inherit target; config = "x86_64_defconfig"; }) // {
    init = library.lib.mkCInit { src = ./article.c; };
    # With this as one more peer of `bench boot`.
    bench = mkBench {
      inherit systems;
      article = { inherit (defconfig) kernel; initramfs = mkInitramfs { inherit (defconfig) init; }; };
    };
  };
  debug = import ./debug.nix { inherit program tools; gdb = toolchain.shell; } { inherit (self) boot kernel init; };
  update = import ./toolchain/update.nix { inherit program tools; inherit (toolchain) keyring; inherit (rust.packages) update; };
  golden = import ./golden.nix { inherit toolchain; } { inherit systems targets; };
  mkBench = import ./bench.nix { inherit toolchain rust targets run program; inherit (self) packer; };
  shell = import ./shell.nix { inherit toolchain; inherit (rust) threecpio; inherit (self) kernel; };

  app = description: program: { type = "app"; inherit program; meta = { inherit description; }; };
  benchApp = systems: app "Measures what is made here beside its peers" "${mkBench { inherit systems; }}/bin/bench";
  # Of one target alone: that builds no other's kernel.
  benchApps = builtins.listToAttrs (map (target: { name = "bench-${target}"; value = benchApp { ${target} = systems.${target}; }; }) (builtins.attrNames systems));
  bootApp = system: app "Boots the system in QEMU, on the terminal" "${system.boot}/bin/boot";
in
{
  packages = self // others (system: system) // { default = self.boot; };

  apps = others (system: { boot = bootApp system; }) // benchApps // {
    default = bootApp self;
    boot = bootApp self;
    debug = app "Boots the system with gdb attached, and stops at the kernel's first C function, or with --init at init's first instruction" "${debug}/bin/debug";
    packer = app "Packs an initramfs" "${self.packer}/bin/packer";
    bench = benchApp systems;
    golden = app "Records in checks/golden.json what is built here" "${golden.program}/bin/golden";
    update = app "Regenerates nix/toolchain/lock.json from Debian's signed indexes" "${update}/bin/update";
  };

  checks = import ./checks.nix { inherit self shell systems targets debug examples golden inputs toolchain rust lint library source target mkKernel mkBoot mkInitramfs mkBench; };
  devShells.default = shell;
  inherit (lint) formatter;
  inherit (library) lib;
  # Not built by `nix flake check`: one needs more than a Debian and a crates mirror, one takes a quarter of an hour, and the checks
  # build the examples.
  legacyPackages = { inherit mainline defconfig examples; };
}
