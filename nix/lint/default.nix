# The programs that check and format the Nix code: those of the dependencies in Cargo.toml here.
{ rust, toolchain, repositoryFiles }:
let
  # Itself the only package, and complete.
  members = [ ];
  src = repositoryFiles "nix-lint" [ "nix/lint/Cargo.toml" "nix/lint/Cargo.lock" "nix/lint/src" ];
  crates = rust.vendor {
    inherit src members;
    directory = "nix/lint";
    lock = ./Cargo.lock;
    hash = ./crates.hash;
  };
in
rec {
  inherit crates;

  # bin/nixpkgs-fmt and bin/deadnix.
  programs = rust.cargo "nix-lint" {
    inherit src members crates;
    script = ''
      cd nix/lint
      mkdir -p $out/bin
      for program in nixpkgs-fmt deadnix; do
        cargo build --locked -p $program --bin $program
        cp target/debug/$program $out/bin/
      done
    '';
    disallowedReferences = [ toolchain.rust toolchain.cc crates ];
  };

  # What `nix fmt` runs: on the files and directories that it is given, and else on all that is here. (Nix's versions differ in
  # whether they give it the directory then; without any, nixpkgs-fmt reads from stdin.)
  formatter = toolchain.program "nix-fmt" ''
    [ "$#" != 0 ] || set -- .
    exec ${programs}/bin/nixpkgs-fmt "$@"
  '';
}
