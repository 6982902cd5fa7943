# Clippy finds nothing in the workspace.
{ rust, toolchain }:
rust.check "clippy" {
  tools = [ toolchain.lint ];
  script = ''
    cargo clippy --release --locked --workspace --all-targets -- --deny warnings
    touch $out
  '';
}
