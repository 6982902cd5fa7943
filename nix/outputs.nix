# All outputs of the flake. project.nix defines what they consist of; docs/reference.md describes them.
inputs:
let
  inherit (builtins) attrNames foldl' listToAttrs mapAttrs;
  inherit (import ./meta.nix) describe firstSentence;

  projects = mapAttrs (host: _: import ./project.nix inputs host) (import ./hosts.nix);
  perHost = output: mapAttrs (_: output) projects;

  # FUNCTION's result for each target. The default target's has plain names, another target's NAME-TARGET.
  forTargets = { target, targets, ... }: function:
    let
      suffixed = other: set: listToAttrs (map (name: { name = "${name}-${other}"; value = set.${name}; }) (attrNames set));
    in
    foldl' (all: other: all // suffixed other (function other)) (function target.name) (attrNames (removeAttrs targets [ target.name ]));

  # `boot run` for programs of another architecture.
  ofForeign = target: "Runs a program for ${target} in a Linux kernel of its own";
  forForeign = { foreignRuns, ... }: function:
    listToAttrs (map (target: { name = "run-${target}"; value = function target foreignRuns.${target}; }) (attrNames foreignRuns));

  app = description: program: { type = "app"; inherit program; meta = { inherit description; }; };
in
rec {
  packages = perHost (project:
    let
      inherit (project) versions;
      ofSystem = target: mapAttrs (name: facts: describe facts project.guestSystems.${target}.${name}) {
        boot = { description = "The runner, with the system for ${target} as its default"; mainProgram = "boot"; } // versions.project;
        image = { description = "The kernel and the initramfs for ${target}, with their SHA-256"; } // versions.project;
        init = { description = "The init for ${target}, a no_std Rust program"; mainProgram = "init"; } // versions.project;
        initramfs = { description = "The initramfs for ${target}, with init in it"; } // versions.project;
        kernel = { description = "The small Linux kernel for ${target}"; } // versions.linux;
      };
      all = forTargets project ofSystem;
    in
    all // forForeign project (target: describe ({ description = ofForeign target; mainProgram = "run"; } // versions.project)) // {
      default = all.boot;
      bill = describe ({ description = "The bill of materials: all that is in the system, and all that builds it, as CycloneDX"; } // versions.project) project.bill;
      packer = describe ({ description = "Makes and reads initramfs images"; mainProgram = "packer"; } // versions.project) project.products.packer;
      explain = describe ({ description = "Says in words what the log of a boot shows"; mainProgram = "explain"; } // versions.project) project.explain;
      kernel-full = describe ({ description = "A Linux kernel for ordinary programs, networks, disks and modules"; } // versions.linux) project.kernel-full;
      kernel-run = describe ({ description = "The Linux kernel of `boot run`, for ordinary programs"; } // versions.linux) project.runKernels.${project.target.name};
      matrix = describe ({ description = "Runs programs in all combinations of kernels, machines and memory sizes"; mainProgram = "matrix"; } // versions.project) project.run-program.matrix;
      run = describe ({ description = "Runs a program in a Linux kernel of its own"; mainProgram = "run"; } // versions.project) project.run-program;
      qemu = describe ({ description = "QEMU for ${project.target.name} guests, and nothing else of it"; mainProgram = "qemu-system-${project.target.name}"; } // versions.qemu) project.products.qemu;
    });

  apps = perHost (project:
    let
      inherit (project) guestSystems;
      boot = forTargets project (target: {
        boot = app "Boots the system for ${target}, on the terminal" "${guestSystems.${target}.boot}/bin/boot";
        kernel-loop = app "Builds a kernel for ${target} from a tree of yours, again and again, and boots it" "${guestSystems.${target}.kernel-loop}/bin/kernel-loop";
      });
      bench = description: arguments: app description "${project.mkBench arguments}/bin/bench";
      # With the system of one target alone, so that no other kernel is built.
      benchOf = target: {
        name = "bench-${target}";
        value = bench "Measures packer and the boot for ${target}, beside other programs" { guestSystems = { ${target} = guestSystems.${target}; }; };
      };
    in
    boot // listToAttrs (map benchOf (attrNames guestSystems))
    // forForeign project (target: run: app (ofForeign target) "${run}/bin/run") // {
      default = boot.boot;
      bench = bench "Measures packer, `boot run` and the boot for all targets, beside other programs" { inherit guestSystems; inherit (project) run-program; };
      ci = app "Builds all checks of a flake, and makes a table of the results" "${project.ci}/bin/ci";
      debug = app "Boots the system with gdb attached, and stops at the kernel's first C function, or with --init at init's first instruction" "${project.debug}/bin/debug";
      debug-lines = app "Does the same as `debug`, and gdb also shows the lines of Linux' sources" "${project.debug-lines}/bin/debug";
      explain = app "Says in words what the log of a boot shows, whatever wrote it" "${project.explain}/bin/explain";
      golden = app "Records in checks/golden.json the hashes of what is built here" "${project.golden.program}/bin/golden";
      matrix = app "Runs programs in all combinations of kernels, machines and memory sizes, and makes a table of the results" "${project.run-program.matrix}/bin/matrix";
      packer = app "Makes and reads initramfs images" "${project.products.packer}/bin/packer";
      shell = app "Opens a shell in a guest in QEMU, with busybox's programs" "${project.examples.busybox.boot}/bin/boot";
      run = app "Runs a program in a Linux kernel of its own, and exits with its status" "${project.run-program}/bin/run";
      update = app "Writes the locks in nix/toolchain/lock from Debian's signed index" "${project.update}/bin/update";
    });

  # One for each file in checks/.
  checks = perHost (project: project.checks);

  devShells = perHost (project: {
    default = describe { description = "The pinned tools for work on the Rust crates, the kernel and the Nix code"; } project.shell;
  });
  formatter = perHost (project: describe { description = "Formats the Nix code, with nixpkgs-fmt"; mainProgram = "nix-fmt"; } project.lint.formatter);

  # For other flakes: docs/lib.md.
  lib = perHost (project: project.library.lib);
  templates = import ../templates;
  # For those who use nixpkgs: pkgs.simplest-linux has the packages, and the library as `lib`.
  overlays.default = final: prev:
    let host = final.stdenv.hostPlatform.system; in
    { simplest-linux = prev.lib.recurseIntoAttrs (packages.${host} // { lib = lib.${host}; }); };

  # `nix flake check` does not build these. `mainline` needs another source, `defconfig` takes a quarter of an hour, `nightly` are the
  # checks of `.ci/run --nightly`, and the checks build the examples.
  legacyPackages = perHost (project: {
    mainline = describe { description = "Boots the system with a kernel from Torvalds' own tree"; mainProgram = "boot"; } project.mainline;
    # One derivation, of which Nix remembers the evaluation: nixw asks for it.
    all-checks = describe { description = "Builds if all checks of `nix flake check` pass"; } project.all-checks;
    inherit (project) nightly;
    examples = mapAttrs
      (name: example: example // {
        check = describe { description = "What `examples.${name}` has to do"; } example.check;
      } // (if example ? boot then {
        boot = describe { description = firstSentence (../examples + "/${name}.nix"); mainProgram = "boot"; } example.boot;
      } else { }))
      project.examples;
  } // (if project.target.name != "x86_64" then { } else {
    defconfig = describe { description = "Boots the system with the article's kernel, x86_64_defconfig"; mainProgram = "boot"; } project.defconfig;
  }));
}
