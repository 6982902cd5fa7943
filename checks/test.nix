# The workspace's own tests pass, with those that want more than a Rust toolchain and strace.
{ rust, toolchain }:
rust.check "test" {
  tools = [ toolchain.check toolchain.peers toolchain.qemu rust.threecpio ];
  script = ''
    cargo test --release --locked --workspace -- --include-ignored
    touch $out
  '';
}
