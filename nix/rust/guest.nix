# Programs for guests, which may have another architecture than the host.
{ cargo, toolchain, vendor }:
let
  inherit (toolchain) cc rust;
  core = import ./core.nix { inherit toolchain; };

  # How cargo compiles for a guest of `target`: the arguments of workspace.nix's `package`. Another architecture than the host's takes
  # a linker and `core`. If GNU ld does not do, the linker is LLD.
  compilation = target:
    let
      flags = (if target.isNative then [ ] else [ "--sysroot=${core target}" "-C linker=${target.prefix}gcc" ])
        ++ (if target.needsLld then [ "-C link-arg=-fuse-ld=lld" "-C link-arg=-B${toolchain.lld}/bin" ] else [ ]);
    in
    {
      inherit (target) prefix;
      options = "--target ${target.rustTarget}";
      output = "${target.rustTarget}/release";
      tools = if target.isNative then [ ] else [ toolchain.${target.cc} ];
      environment = if flags == [ ] then "" else "RUSTFLAGS=\"$RUSTFLAGS ${builtins.concatStringsSep " " flags}\" ";
    };
  # The crates of the package in `src`. `cratesHash` is the hash of `cargo vendor` of its Cargo.lock, or empty if it depends on none.
  cratesOf = { src, cratesHash }:
    let
      lock = src + "/Cargo.lock";
      locked = builtins.fromTOML (builtins.readFile lock);
      # (To read what a derivation makes, the evaluation would have to build it.)
      hasCrates = builtins.isPath src && builtins.pathExists lock && builtins.any (package: package ? source) (locked.package or [ ]);
      # Nix accepts it as a hash, and then prints the right one.
      wrong = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    in
    if cratesHash == "" && hasCrates then
      throw "${toString src}: this package depends on crates; set the argument `cratesHash` to \"${wrong}\", and then to the hash that Nix prints"
    else if cratesHash == "" then ""
    else
      vendor {
        inherit src;
        members = [ ];
        directory = ".";
        inherit lock;
        hash = cratesHash;
      };
in
{
  inherit compilation;

  # The program of the package in `src`, as bin/init.
  mkInitOf = { src, cratesHash, target }:
    let
      inherit (compilation target) environment options output tools;
      inherit ((builtins.fromTOML (builtins.readFile (src + "/Cargo.toml"))).package) name;
    in
    cargo "init" {
      inherit src tools;
      members = [ ];
      crates = cratesOf { inherit src cratesHash; };
      script = ''
        ${environment}cargo build --release --offline ${options}
        mkdir -p $out/bin
        cp target/${output}/${name} $out/bin/init
      '';
      disallowedReferences = [ rust cc ];
    };

  # `cargo test` of the package in `src`, with more arguments for it. The command `runner` starts each test binary. The output is what
  # the tests print, without the times.
  mkTestOf = { src, cratesHash, args, runner }: cargo "rust-test" {
    inherit src;
    members = [ ];
    crates = cratesOf { inherit src cratesHash; };
    inherit runner;
    inherit (toolchain.host.targets.${toolchain.host.target}) rustTarget;
    script = ''
      set -o pipefail
      export "CARGO_TARGET_$(echo $rustTarget | tr a-z- A-Z_)_RUNNER=$runner"
      cargo test --offline --no-fail-fast ${builtins.concatStringsSep " " (map toolchain.shellWord args)} | tee ../stdout
      sed 's/; finished in [0-9.]*s$//' ../stdout >$out
    '';
  };
}
