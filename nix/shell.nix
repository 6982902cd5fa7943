# `nix develop`: the pinned tools for work on the Rust crates, and for booting a kernel that is at hand. It does not wait for
# the kernel of this flake.
{ toolchain, threecpio }:
let inherit (toolchain) cc check kbuild lint peers qemu rust shell tools; in
derivation {
  name = "simplest-linux";
  system = shell.system;
  # `nix develop` wants a derivation that bash builds.
  builder = "${shell}/bin/bash";
  args = [ "-c" "echo 'for nix develop' > $out" ];
  # It looks here for where to write what the shell gets.
  outputs = [ "out" ];
  PATH = builtins.concatStringsSep ":" (map (tree: "${tree}/bin") [ rust lint cc kbuild qemu check peers threecpio shell tools ]);
}
