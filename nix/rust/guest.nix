# Programs for guests, which may have another architecture than the host.
{ cargo, toolchain, vendor }:
let
  inherit (toolchain) cc rust;
  core = import ./core.nix { inherit toolchain; };

  # How cargo compiles for a guest of `target`: the arguments of workspace.nix's `package`. Another architecture than the host's takes
  # a linker and `core`.
  compilation = target: {
    inherit (target) prefix;
    options = "--target ${target.rustTarget}";
    output = "${target.rustTarget}/release";
  } // (if target.cc == "cc" then { environment = ""; tools = [ ]; } else {
    environment = "RUSTFLAGS=\"$RUSTFLAGS --sysroot=${core target} -C linker=${target.prefix}gcc -C link-arg=-fuse-ld=lld -C link-arg=-B${toolchain.lld}/bin\" ";
    tools = [ toolchain.${target.cc} ];
  });
  # The crates of the package in `src`. `cratesHash` is the hash of `cargo vendor` of its Cargo.lock, or empty if it depends on none.
  cratesOf = { src, cratesHash }:
    if cratesHash == "" then "" else
    vendor {
      inherit src;
      members = [ ];
      directory = ".";
      lock = src + "/Cargo.lock";
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
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER = runner;
    script = ''
      set -o pipefail
      cargo test --offline --no-fail-fast ${builtins.concatStringsSep " " (map toolchain.shellWord args)} | tee ../stdout
      sed 's/; finished in [0-9.]*s$//' ../stdout >$out
    '';
  };
}
