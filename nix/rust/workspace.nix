# The Rust workspace: its crates and dependencies, its packages, and their checks.
{ cargo, guest, repositoryFiles, toolchain, vendor }:
let
  inherit (toolchain) cc program rust;

  members = {
    bench = "bench";
    boot = "boot";
    init = "init";
    packer = "packer";
    update = "nix/toolchain/update";
  };
  # The members that a member is made of, beside itself.
  parts.bench = [ members.boot ];
  directories = builtins.attrValues members;
  # The files of the repository that compiling one of them takes.
  filesOf = name: manifests ++ [ members.${name} ] ++ parts.${name} or [ ];
  manifests = [ "Cargo.toml" "Cargo.lock" ] ++ map (directory: "${directory}/Cargo.toml") directories;

  manifestFiles = repositoryFiles "manifests" manifests;

  # cargo.nix, for all of the workspace.
  cargoHere = name: environment: cargo name ({ inherit crates; members = directories; } // environment);

  crates = vendor {
    src = manifestFiles;
    members = directories;
    directory = ".";
    lock = ../../Cargo.lock;
    hash = ./crates.hash;
  };

  # A program of ours aborts when it panics (Cargo.toml). A test cannot, nor can what it depends on. So the dependencies are compiled
  # to unwind, once for programs and tests, and a program, when it is linked, is told to abort.
  unwinding = {
    CARGO_PROFILE_RELEASE_PANIC = "unwind";
    RUSTC_WRAPPER = "${program "rustc" ''
      case " $* " in *" --crate-type bin "*) set -- "$@" -C panic=abort ;; esac
      exec "$@"
    ''}/bin/rustc";
  };

  # What our own sources are compiled against, so that a change of them does not compile it again.
  clean = "cargo clean --release --offline ${builtins.concatStringsSep " " (map (name: "-p ${name}") (builtins.attrNames members))}";
  dependencies = cargoHere "cargo-dependencies" (unwinding // {
    src = manifestFiles;
    script = ''
      cargo build --release --locked --workspace
      ${clean}
      mv target $out
    '';
  });

  # What else comes of a package: a function of `build`, what built it; `output`, where below target/ that is; and `prefix`, that of its
  # binutils. Here, what packer makes of itself.
  extras.packer = _: ''
    mkdir -p $out/share/man/man1 $out/share/bash-completion/completions $out/share/zsh/site-functions $out/share/fish/vendor_completions.d
    $out/bin/packer man $out/share/man/man1
    $out/bin/packer completions bash >$out/share/bash-completion/completions/packer
    $out/bin/packer completions zsh >$out/share/zsh/site-functions/_packer
    $out/bin/packer completions fish >$out/share/fish/vendor_completions.d/packer.fish
  '';
  # init for a debugger to read (init/build.rs), whose image must be what runs.
  extras.init = { build, output, prefix }: ''
    export INIT_SYMBOLS=1 CARGO_PROFILE_RELEASE_DEBUG=full CARGO_PROFILE_RELEASE_STRIP=none
    ${build}
    cp target/${output}/init $debug
    ${prefix}objcopy --output-target binary --only-section .image $debug image
    cmp image $out/bin/init
  '';
  outputs.init = [ "out" "debug" ];
  # Nothing that runs may need a compiler or the crates' sources, and init nothing at all.
  references.init = { allowedReferences = [ ]; };

  # The program of one package. `options` and `output`: cargo's, and below which directory of target/ that puts it. `prefix`: what
  # the names of binutils for it begin with.
  package = name: { options ? "", output ? "release", environment ? "", tools ? [ ], prefix ? "" }:
    let
      # --workspace, because the features of a dependency are what all members together ask for: with -p it would be another
      # dependency, to be compiled again.
      build = "${environment}cargo build --release --locked --workspace --bin ${name} ${options}";
    in
    cargoHere name (unwinding // {
      inherit tools;
      outputs = outputs.${name} or [ "out" ];
      src = repositoryFiles name (filesOf name);
      target = dependencies;
      script = ''
        ${build}
        mkdir -p $out/bin
        cp target/${output}/${name} $out/bin/
        ${(extras.${name} or (_: "")) { inherit build output prefix; }}
      '';
    } // references.${name} or { disallowedReferences = [ rust cc crates ]; });

  # For the checks. The dependencies are those of the programs, as they are. Our own code, and what only its tests depend on, is compiled
  # as fast as can be, with assertions; but for init, whose bytes are what is tested.
  configure = "cat ${builtins.toFile "config.toml" (builtins.concatStringsSep "" (map
    (name: ''
      [profile.release.package.${name}]
      opt-level = 0
      codegen-units = 16
      debug-assertions = true
      overflow-checks = true
    '')
    (builtins.attrNames (removeAttrs members [ "init" ]) ++ [ "yaxpeax-x86" ])))} >>$CARGO_HOME/config.toml\n";
in
{
  inherit crates dependencies filesOf;
  members = directories;
  # The members that no other is made of.
  roots = builtins.filter (name: !builtins.elem members.${name} (builtins.concatLists (builtins.attrValues parts))) (builtins.attrNames members);
  # What runs on the host, by name.
  packages = builtins.mapAttrs (name: _: package name { }) (removeAttrs members [ "init" ]);

  # bin/3cpio, a peer of packer that Debian 12 does not have: the program of a dependency.
  threecpio = cargoHere "3cpio" {
    src = manifestFiles;
    script = ''
      cargo build --release --locked -p threecpio --bin 3cpio
      mkdir -p $out/bin
      cp target/release/3cpio $out/bin/
    '';
    disallowedReferences = [ rust cc crates ];
  };

  # What runs in a guest of `target`.
  mkInit = target: package "init" (guest.compilation target);

  # check NAME { script, tools ? [ ] }: `script` in the whole workspace.
  check = name: { script, ... }@environment: cargoHere name (unwinding // {
    src = repositoryFiles "workspace" (manifests ++ directories);
    target = cargoHere "cargo-check-dependencies" (unwinding // {
      src = manifestFiles;
      target = dependencies;
      tools = [ toolchain.lint ];
      script = configure + ''
        cargo test --release --locked --workspace --no-run
        cargo clippy --release --locked --workspace --all-targets
        ${clean}
        mv target $out
      '';
    });
  } // environment // { script = configure + script; });
}
