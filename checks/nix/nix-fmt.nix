# The Nix code is formatted as `nix fmt` formats it.
{ toolchain, lint, repositoryFiles }:
toolchain.run "nix-fmt"
{
  src = repositoryFiles "nix-code" [ "flake.nix" "nix" "checks" "docs" "examples" "maintenance" "templates" "tests" ];
  PATH = "${lint.programs}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "nix-fmt.sh" ''
    nixpkgs-fmt --check $src
    touch $out
  '')
