# The workspace's own tests pass.
{ rust, toolchain }:
rust.check "test" {
  tools = [ toolchain.check toolchain.peers rust.threecpio ];
  script = ''
    cargo test --release --locked --workspace
    touch $out
  '';
}
