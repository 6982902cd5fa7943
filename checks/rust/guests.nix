# The inits of the examples and templates are formatted, and Clippy finds nothing in them. They are not in the workspace.
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
