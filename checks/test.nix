# The workspace's own tests pass.
{ rust, toolchain }:
rust.check "test" {
  tools = [ toolchain.check ];
  script = ''
    cargo test --release --locked --workspace
    touch $out
  '';
}
