{
  description = "The simplest possible Linux system: a kernel, a no_std Rust PID 1, and a VM that boots them";

  # Source trees only. They are fetched when something that needs them is built, never to evaluate.
  inputs = {
    # Linux 6.12.95 as Debian's archive carries it: upstream's release less six paths that are not free software, none of
    # which is built here. The address is Debian's permanent, dated archive.
    linux = {
      url = "https://snapshot.debian.org/archive/debian/20261121T021046Z/pool/main/l/linux/linux_6.12.95.orig.tar.xz";
      flake = false;
    };
    # Torvalds' own tree, for legacyPackages.x86_64-linux.mainline.
    linux-mainline = {
      url = "github:torvalds/linux/v6.18";
      flake = false;
    };
  };

  outputs = inputs: import ./nix/outputs.nix inputs;
}
