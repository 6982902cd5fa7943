# `nix develop`: the pinned tools for work on the Rust crates, and to boot a kernel. The shell knows the paths of this flake's kernel, boot
# and packer, but does not wait until these are built.
{ toolchain, kernel, boot, packer }:
let
  inherit (builtins) unsafeDiscardStringContext;
  inherit (toolchain) cc check kbuild lint peers qemu rust shell tools;
  inherit (toolchain.host) library triple;
  programs = unsafeDiscardStringContext "${boot}/bin:${packer}/bin";
in
derivation {
  name = "simplest-linux";
  system = shell.system;
  # `nix develop` needs a derivation that bash builds.
  builder = "${shell}/bin/bash";
  args = [ "-c" "echo 'for nix develop' > $out" ];
  # `nix develop` writes the shell's environment to these outputs.
  outputs = [ "out" ];
  # The kernel for .cargo/boot.sh. As BOOT_KERNEL, it would replace the kernel of every system that is booted in the shell.
  CARGO_BOOT_KERNEL = unsafeDiscardStringContext kernel;
  # The programs for .cargo/boot.sh.
  CARGO_BOOT_PROGRAMS = programs;
  shellHook = "PS1=\"(simplest-linux) \${PS1-\\$ }\"";
  # For `make` in a Linux tree, as in kernel/make.sh.
  BISON_PKGDATADIR = "${kbuild}/share/bison";
  M4 = "${kbuild}/bin/m4";
  PERL5LIB = "${kbuild}/${library}/perl-base";
  HOSTCFLAGS = "-I${kbuild}/include -I${kbuild}/include/${triple}";
  HOSTLDFLAGS = "-L${kbuild}/${library} -Wl,-rpath,${kbuild}/${library}";
  MAKEFLAGS = "SHELL=${kbuild}/bin/dash CONFIG_SHELL=${kbuild}/bin/dash XZ=${kbuild}/bin/xz";
  PATH = builtins.concatStringsSep ":" (map (tree: "${tree}/bin") [ rust lint cc kbuild qemu check peers shell tools ] ++ [ programs ]);
}
