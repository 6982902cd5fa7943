# `cargo boot` boots init as it is in the working tree, so a change appears on the console. It uses the kernel that `nix develop`
# names, which is the flake's.
{ rust, products, shell, target, toolchain, repositoryFiles }:
rust.check "inner-loop" {
  src = repositoryFiles "inner-loop" ([ ".cargo" "Cargo.toml" "Cargo.lock" ] ++ rust.members);
  tools = [ toolchain.qemu ];
  inherit (products) kernel;
  inherit (shell) CARGO_BOOT_KERNEL;
  script = ''
    [ $CARGO_BOOT_KERNEL = $(readlink $kernel/${target.bootImage}) ]
    cargo boot --release --locked -- --accel tcg --log log </dev/null
    grep '^Hello, world!' log
    sed -i 's/Hello, world!/Hello again, world!/' init/src/main.rs
    cargo boot --release --locked -- --accel tcg --expect "Hello again, world!" --log $out </dev/null
    if grep '^Hello, world!' $out; then exit 1; fi
  '';
}
