{
  description = "The simplest possible Linux system: a kernel, a no_std Rust PID 1, and a VM that boots them";

  # Only source trees. The evaluation fetches none of them, unless the user names one.
  inputs = {
    # A tree of Linux in place of the pinned release (nix/kernel/linux.nix): `--override-input linux path:TREE`. An input has to be
    # something. By default, this one follows the flake itself, so that there is nothing to fetch.
    linux = {
      follows = "";
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
