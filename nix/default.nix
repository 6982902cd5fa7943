# Everything that the flake offers: for each host system, derivations built from source trees and pinned packages alone.
inputs:
let
  # The machines that can build and boot. (What is booted on them: targets.nix.)
  hosts = [ "x86_64-linux" ];

  perHost = import ./host.nix inputs;
  hostOutputs = builtins.listToAttrs (map (system: { name = system; value = perHost system; }) hosts);
  output = name: builtins.mapAttrs (_: outputs: outputs.${name}) hostOutputs;
in
rec {
  packages = output "packages";
  apps = output "apps";
  checks = output "checks";
  devShells = output "devShells";
  formatter = output "formatter";
  # For other flakes: docs/lib.md.
  lib = output "lib";
  templates = import ../templates;
  legacyPackages = output "legacyPackages";
  # For Hydra: the same derivations by names of its own.
  hydraJobs = { inherit packages checks; };
}
