# Rust: the workspace, and packages outside of it.
#
#   cargo, vendor  derivations in which cargo runs, and that vendor the crates of a lock file: cargo.nix, vendor.nix
#   mkInitOf, mkTestOf  a package outside the workspace as the init of a guest, and its tests: guest.nix
#   the others     of the workspace: workspace.nix
{ toolchain, repositoryFiles }:
let
  cargo = import ./cargo.nix { inherit toolchain; };
  vendor = import ./vendor.nix { inherit cargo toolchain; };
  guest = import ./guest.nix { inherit cargo toolchain vendor; };
in
import ./workspace.nix { inherit cargo guest repositoryFiles toolchain vendor; } // {
  inherit cargo vendor;
  inherit (guest) mkInitOf mkTestOf;
}
