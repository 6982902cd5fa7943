# The Nix code defines no name without using it.
{ toolchain, lint, repositoryFiles }:
toolchain.run "deadnix"
{
  src = repositoryFiles "nix-code" [ "flake.nix" "nix" "checks" "docs" "examples" "maintenance" "templates" "tests" ];
  PATH = "${lint.programs}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "deadnix.sh" ''
    deadnix --fail $src
    touch $out
  '')
