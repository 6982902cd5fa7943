# The Rust workspace: its crates and dependencies, its packages, and their checks.
{ cargo, guest, repositoryFiles, toolchain, vendor }:
let
  inherit (toolchain) cc program rust;

  members = {
    agent = "agent";
    bench = "bench";
    boot = "boot";
    init = "init";
    packer = "packer";
    update = "nix/toolchain/update";
  };
  # The other members that a member depends on.
  parts = { bench = [ members.agent members.boot members.packer ]; boot = [ members.agent members.packer ]; };
  directories = builtins.attrValues members;
  # The files of the repository that are needed to compile a member.
  filesOf = name: manifests ++ [ members.${name} ] ++ parts.${name} or [ ];
  manifests = [ "Cargo.toml" "Cargo.lock" ] ++ map (directory: "${directory}/Cargo.toml") directories;

  manifestFiles = repositoryFiles "manifests" manifests;

  # cargo.nix with the crates and members of the workspace.
  cargoHere = name: environment: cargo name ({ inherit crates; members = directories; } // environment);

  crates = vendor {
    src = manifestFiles;
    members = directories;
    directory = ".";
    lock = ../../Cargo.lock;
    hash = ./crates.hash;
  };

  # Our programs abort when they panic (Cargo.toml). Tests and their dependencies must unwind. To compile the dependencies only once, all
  # of them unwind, and only the programs are compiled to abort.
  #
  # In a package that cargo optimises, the library has the hot code, and the program only has the command line. So the program is not
  # optimised: for packer's, LLVM would take 17 of 19 s.
  unwinding = {
    CARGO_PROFILE_RELEASE_PANIC = "unwind";
    RUSTC_WRAPPER = "${program "rustc" ''
      case " $* " in *" --crate-type bin "*) set -- "$@" -C panic=abort ;; esac
      case " $* " in *" --crate-type bin "*" opt-level=3 "*) set -- "$@" -C opt-level=0 -C debug-assertions=off ;; esac
      exec "$@"
    ''}/bin/rustc";
  };

  # The compiled dependencies, without our own crates. A change of these does not compile the dependencies again.
  clean = "cargo clean --release --offline ${builtins.concatStringsSep " " (map (name: "-p ${name}") (builtins.attrNames members))}";
  dependencies = cargoHere "cargo-dependencies" (unwinding // {
    src = manifestFiles;
    script = ''
      cargo build --release --locked --workspace
      ${clean}
      mv target $out
    '';
  });

  # What compiling packer's library adds to the dependencies. It takes half a minute, and packer, boot and bench need it. Cargo sees that
  # it is fresh, because all files in the store have the same time.
  packerLibrary = cargoHere "cargo-packer-library" (unwinding // {
    src = repositoryFiles "packer-library" (filesOf "packer");
    target = dependencies;
    script = ''
      cargo build --release --locked --workspace --lib
      mkdir $out
      cd target
      # What is from the store is old.
      find . -type f -mtime -1 | xargs tar -c | tar -x -C $out
    '';
  });
  # The target directories to start from when a member is compiled.
  targetOf = name: [ dependencies ] ++ (if builtins.elem members.packer (filesOf name) then [ packerLibrary ] else [ ]);

  # Commands that add more to a package. They are functions of `build`, the command that built it, `output`, its directory below target/,
  # and `prefix` of the binutils' names. packer writes its own manual pages and completions.
  extras.packer = _: ''
    mkdir -p $out/share/man/man1 $out/share/bash-completion/completions $out/share/zsh/site-functions $out/share/fish/vendor_completions.d
    $out/bin/packer man $out/share/man/man1
    $out/bin/packer completions bash >$out/share/bash-completion/completions/packer
    $out/bin/packer completions zsh >$out/share/zsh/site-functions/_packer
    $out/bin/packer completions fish >$out/share/fish/vendor_completions.d/packer.fish
  '';
  # init with symbols for a debugger (init/build.rs). Its image must be the same as the init that runs.
  extras.init = { build, output, prefix }: ''
    export INIT_SYMBOLS=1 CARGO_PROFILE_RELEASE_DEBUG=full CARGO_PROFILE_RELEASE_STRIP=none
    ${build}
    cp target/${output}/init $debug
    ${prefix}objcopy --output-target binary --only-section .image $debug image
    cmp image $out/bin/init
  '';
  outputs.init = [ "out" "debug" ];
  # A program may refer to no compiler and no crates' sources, and one for a guest to nothing at all.
  references = { agent = { allowedReferences = [ ]; }; init = { allowedReferences = [ ]; }; };
  forGuests = builtins.attrNames references;

  # The program of one package. `options` are cargo's, `output` is the directory below target/ in which cargo puts the program, and
  # `prefix` is that of the binutils' names.
  package = name: { options ? "", output ? "release", environment ? "", tools ? [ ], prefix ? "" }:
    let
      # --workspace, because a dependency has the features that all members together need. With -p it would have other features, and
      # cargo would compile it again.
      build = "${environment}cargo build --release --locked --workspace --bin ${name} ${options}";
    in
    cargoHere name (unwinding // {
      inherit tools;
      outputs = outputs.${name} or [ "out" ];
      src = repositoryFiles name (filesOf name);
      target = targetOf name;
      script = ''
        ${build}
        mkdir -p $out/bin
        cp target/${output}/${name} $out/bin/
        ${(extras.${name} or (_: "")) { inherit build output prefix; }}
      '';
    } // references.${name} or { disallowedReferences = [ rust cc crates ]; });

  # The configuration of the checks. They use the programs' dependencies unchanged. Our own crates are compiled without optimisation
  # and with assertions, except the guests' programs.
  configure = "cat ${builtins.toFile "config.toml" (builtins.concatStringsSep "" (map
    (name: ''
      [profile.release.package.${name}]
      opt-level = 0
      codegen-units = 16
      debug-assertions = true
      overflow-checks = true
    '')
    (builtins.attrNames (removeAttrs members forGuests))))} >>$CARGO_HOME/config.toml\n";
in
{
  inherit crates dependencies filesOf;
  members = directories;
  # The members that no other member depends on.
  roots = builtins.filter (name: !builtins.elem members.${name} (builtins.concatLists (builtins.attrValues parts))) (builtins.attrNames members);
  # The programs for the host, by name.
  packages = builtins.mapAttrs (name: _: package name { }) (removeAttrs members forGuests);

  # bin/3cpio, the program of a dependency. packer is compared with it, and Debian 12 does not have it.
  threecpio = cargoHere "3cpio" {
    src = manifestFiles;
    script = ''
      cargo build --release --locked -p bench -p threecpio --features bench/threecpio --bin 3cpio
      mkdir -p $out/bin
      cp target/release/3cpio $out/bin/
    '';
    disallowedReferences = [ rust cc crates ];
  };

  # The init for guests of `target`.
  mkInit = target: package "init" (guest.compilation target);
  # The agent of `boot run`, the same.
  mkAgent = target: package "agent" (guest.compilation target);

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
