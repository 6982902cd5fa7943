# The workspace is formatted as rustfmt formats it.
{ rust, toolchain }:
rust.check "fmt" {
  tools = [ toolchain.lint ];
  script = ''
    cargo fmt --all --check
    touch $out
  '';
}
