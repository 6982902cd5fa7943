# The inits of the examples and templates, which are no part of the workspace, are formatted, and Clippy has nothing to say about them.
{ rust, toolchain, repositoryFiles }:
let packages = [ "examples/supervisor" "templates/no_std" "templates/std" ]; in
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
      cargo clippy --release --offline -- --deny warnings
      echo $package >>$out
    done
  '';
}
