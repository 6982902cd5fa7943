# The outputs for one host system.
inputs: system:
let
  source = import ./source.nix;
  toolchain = import ./toolchain { inherit system; };
  rust = import ./rust.nix { inherit toolchain source; };
  lint = import ./lint { inherit rust toolchain source; };
  inherit (toolchain) program qemu run tools;
  targets = import ./targets.nix;
  target = targets.x86_64;

  mkKernel = import ./kernel { inherit toolchain; };
  mkInitramfs = import ./initramfs.nix { inherit run tools; inherit (self) packer; };
  mkBoot = import ./boot.nix { inherit program qemu; runner = rust.packages.boot; };
  mkImage = import ./image.nix { inherit run; };

  library = import ./lib { inherit inputs toolchain rust targets mkKernel mkInitramfs mkBoot mkImage; };

  examples = import ../examples { inherit (library) lib; inherit toolchain; };

  # The system that this flake is about, by the names of its packages.
  self = {
    inherit qemu;
    inherit (rust.packages) packer;
    init = rust.mkInit target;
    kernel = mkKernel { src = inputs.linux; inherit target; };
    initramfs = mkInitramfs { inherit (self) init; };
    boot = mkBoot { inherit (self) kernel initramfs; inherit target; };
    image = mkImage { inherit (self) kernel initramfs; };
  };
  mainline = rec {
    kernel = mkKernel { src = inputs.linux-mainline; inherit target; };
    boot = mkBoot { inherit kernel target; inherit (self) initramfs; };
  };
  # The kernel of the article that this grew out of, as a peer to measure by.
  defconfig = rec {
    kernel = mkKernel { src = inputs.linux; inherit target; config = "x86_64_defconfig"; };
    boot = mkBoot { inherit kernel target; inherit (self) initramfs; };
    init = library.lib.mkCInit { src = ./article.c; };
    # With this as one more peer of `bench boot`.
    bench = mkBench {
      inherit (self) kernel initramfs;
      article = { inherit kernel; initramfs = mkInitramfs { inherit init; }; };
    };
  };
  debug = import ./debug.nix { inherit program tools; gdb = toolchain.shell; } { inherit (self) boot kernel; };
  update = import ./toolchain/update.nix { inherit program tools; inherit (toolchain) keyring; inherit (rust.packages) update; };
  golden = import ./golden.nix { inherit toolchain; } { inherit (self) init initramfs kernel; };
  licences = import ./toolchain/licences.nix { inherit toolchain; };
  mkBench = import ./bench.nix { inherit toolchain rust run program; inherit (self) packer; };
  bench = mkBench { inherit (self) kernel initramfs; };

  app = description: program: { type = "app"; inherit program; meta = { inherit description; }; };
  bootApp = app "Boots the system in QEMU, on the terminal" "${self.boot}/bin/boot";
in
{
  packages = self // { default = self.boot; };

  apps = {
    default = bootApp;
    boot = bootApp;
    debug = app "Boots the system with gdb attached, and stops at the kernel's first C function" "${debug}/bin/debug";
    packer = app "Packs an initramfs" "${self.packer}/bin/packer";
    bench = app "Measures what is made here beside its peers" "${bench}/bin/bench";
    golden = app "Records in checks/golden.json what is built here" "${golden.program}/bin/golden";
    update = app "Regenerates nix/toolchain/lock.json from Debian's signed indexes" "${update}/bin/update";
  };

  checks = import ./checks.nix { inherit self debug examples golden inputs toolchain licences rust lint library source target mkKernel mkBoot mkInitramfs; };
  devShells.default = import ./shell.nix { inherit toolchain; inherit (rust) threecpio; };
  inherit (lint) formatter;
  inherit (library) lib;
  # Not evaluated by `nix flake check`: one needs more than a Debian and a crates mirror, one takes a quarter of an hour, one is a
  # check's.
  legacyPackages = { inherit mainline defconfig examples licences; };
}
