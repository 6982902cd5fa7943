# The Rust code of the examples and templates is formatted, and Clippy finds nothing in it. It is not in the workspace.
{ rust, toolchain, repositoryFiles }:
let packages = [ "examples/supervisor" "templates/no_std" "templates/std" "templates/test" ]; in
rust.cargo "guests" {
  inherit packages;
  src = repositoryFiles "guests" packages;
  members = [ ];
  crates = "";
  tools = [ toolchain.lint ];
  script = ''
    for package in $packages; do
      cd $NIX_BUILD_TOP/source/$package
      cargo fmt --check
      cargo clippy --release --offline --all-targets -- --deny warnings
      echo $package >>$out
    done
  '';
}
