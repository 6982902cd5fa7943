{
  description = "The simplest possible Linux system: a kernel, a no_std Rust PID 1, and a VM that boots them";

  # Only source trees. Nix fetches them to build what needs them, never to evaluate the flake.
  inputs = {
    # Linux 6.12.95 from Debian's archive: upstream's release without six paths that are not free software and are not built
    # here. The URL is of Debian's permanent, dated archive.
    linux = {
      url = "https://snapshot.debian.org/archive/debian/20261121T021046Z/pool/main/l/linux/linux_6.12.95.orig.tar.xz";
      flake = false;
    };
    # Torvalds' tree, for legacyPackages.x86_64-linux.mainline.
    linux-mainline = {
      url = "github:torvalds/linux/v6.18";
      flake = false;
    };
  };

  outputs = inputs: import ./nix/outputs.nix inputs;
}
