# The workspace is formatted as rustfmt would.
{ rust, toolchain }:
rust.check "fmt" {
  tools = [ toolchain.lint ];
  script = ''
    cargo fmt --all --check
    touch $out
  '';
}
