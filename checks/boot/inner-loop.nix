# `cargo boot` boots init as it is in the working tree, so a change appears on the console. It uses the kernel, boot and packer that
# `nix develop` names, which are the flake's. Without these two programs, it builds them.
{ rust, products, shell, target, toolchain, repositoryFiles }:
rust.check "inner-loop" {
  src = repositoryFiles "inner-loop" ([ ".cargo" "Cargo.toml" "Cargo.lock" ] ++ rust.members);
  tools = [ toolchain.qemu ];
  inherit (products) kernel packer;
  inherit (rust.packages) boot;
  inherit (shell) CARGO_BOOT_KERNEL;
  programs = shell.CARGO_BOOT_PROGRAMS;
  script = ''
    [ $CARGO_BOOT_KERNEL = $(readlink $kernel/${target.bootImage}) ]
    [ $programs = $boot/bin:$packer/bin ]
    CARGO_BOOT_PROGRAMS=$programs cargo boot --release --locked -- --accel tcg --log log </dev/null
    grep '^Hello, world!' log
    [ ! -e target/release/boot ]
    sed -i 's/Hello, world!/Hello again, world!/' init/src/main.rs
    cargo boot --release --locked -- --accel tcg --expect "Hello again, world!" --log $out </dev/null
    if grep '^Hello, world!' $out; then exit 1; fi
    [ -e target/release/boot ]
  '';
}
