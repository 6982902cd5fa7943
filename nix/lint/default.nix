# The programs that check and format the Nix code: the programs of the dependencies in this directory's Cargo.toml.
{ rust, toolchain, repositoryFiles }:
let
  # The package itself is the only one, and complete.
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

  # `nix fmt` runs this with the files and directories that the user names. If there are none, some versions of Nix pass the current
  # directory and others nothing, with which nixpkgs-fmt would read from stdin.
  formatter = toolchain.program "nix-fmt" ''
    [ "$#" != 0 ] || set -- .
    exec ${programs}/bin/nixpkgs-fmt "$@"
  '';
}
