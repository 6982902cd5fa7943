# The flake's output `lib`, which other flakes use. docs/lib.md describes it, and the check `library` compares the two.
{ linux, toolchain, rust, targets, mkKernel, mkInitramfs, mkBoot, mkImage, mkRun, runKernels, target }:
let
  inherit (import ../meta.nix) describe;
  inherit (import ./arguments.nix) function types;
  inherit (types) attrsOf either listOf made natural oneOf path set status string;
  inherit (builtins) attrNames concatStringsSep pathExists;

  # The host's own architecture, by default.
  anyTarget = { type = oneOf (attrNames targets); default = target.name; };

  # The guest of a test.
  guest = {
    target = { type = oneOf (attrNames runKernels); default = if runKernels ? um then "um" else target.name; };
    # The flake's own, by default.
    kernel = { type = path; default = null; };
    machine = { type = string; default = ""; };
    memory = { type = natural; default = 512; };
    timeout = { type = natural; default = 600; };
  };
  # What a boot has to show.
  checked = {
    # The system's own, by default.
    expect = { type = string; default = ""; };
    expectAnywhere = { type = string; default = ""; };
    forbid = { type = listOf string; default = [ ]; };
    timeout = { type = natural; default = 60; };
    accel = { type = oneOf [ "tcg" "kvm" ]; default = "tcg"; };
    options = { type = listOf string; default = [ ]; };
  };
  tests = import ./test.nix { inherit toolchain rust targets mkRun; kernels = runKernels; };

  # A fragment of the kernel's configuration: the name of a file in nix/kernel/, lines, or another file.
  fragment = function': value:
    let own = ../kernel + "/${value}.config"; in
    if !builtins.isString value || builtins.match "/.*" value != null then value
    else if builtins.match ".*CONFIG_.*" value != null then toolchain.textFile "fragment.config" "${value}\n"
    else if builtins.match "[a-z0-9_-]+" value != null && pathExists own then own
    else
      throw "${function'}: no fragment `${value}`; there are ${concatStringsSep ", " fragments}, or give lines that set CONFIG_..., or a file";
  fragments =
    let
      names = map (builtins.match "(.*)[.]config") (attrNames (builtins.readDir ../kernel));
      base = [ "base" ] ++ attrNames targets;
    in
    builtins.filter (name: !builtins.elem name base) (map builtins.head (builtins.filter (name: name != null) names));

  # The functions, each with its arguments.
  functions = {
    mkKernel = {
      arguments = {
        # A tree in which there is everything that the fragments may ask for, by default.
        src = { type = path; default = null; };
        fragments = { type = listOf (either [ path string ]); default = [ ]; };
        target = anyTarget;
      };
      body = { src, fragments, target }: describe { description = "A small Linux kernel for ${target}"; } (mkKernel ({
        target = targets.${target};
        fragments = map (fragment "mkKernel") fragments;
      } // (if src == null then { } else { inherit src; })));
    };

    mkInitramfs = {
      arguments = {
        init = { type = path; };
        files = { type = attrsOf (either [ path set ]); default = { }; };
        closures = { type = listOf path; default = [ ]; };
        programs = { type = listOf path; default = [ ]; };
        compress = { type = string; default = "gzip"; };
      };
      body = arguments: describe { description = "An initramfs"; } (mkInitramfs arguments);
    };

    mkRustInit = {
      arguments = {
        src = { type = path; };
        cratesHash = { type = string; default = ""; };
        target = anyTarget;
      };
      body = { src, cratesHash, target }: describe { description = "An init in Rust for ${target}"; mainProgram = "init"; }
        (rust.mkInitOf { inherit src cratesHash; target = targets.${target}; });
    };

    mkCInit = {
      arguments = {
        src = { type = path; };
        linux = { type = path; default = linux.tree; };
        flags = { type = listOf string; default = [ ]; };
        libc = { type = oneOf [ "nolibc" "glibc" ]; default = "nolibc"; };
      };
      body = arguments: describe { description = "An init in C"; mainProgram = "init"; } (import ./c-init.nix { inherit toolchain; } arguments);
    };

    mkModule = {
      arguments = {
        src = { type = path; };
        kernel = { type = made "mkKernel" [ "debug" "kernelArch" ]; };
      };
      body = arguments: describe { description = "Modules for a Linux kernel"; }
        (import ../kernel/module.nix { inherit toolchain targets; } arguments);
    };

    mkSystem = {
      arguments = {
        kernel = { type = path; };
        initramfs = { type = path; };
        expect = { type = string; default = "Hello, world!"; };
        expectAnywhere = { type = string; default = ""; };
        cmdline = { type = string; default = ""; };
        machine = { type = string; default = ""; };
        memory = { type = natural; default = 0; };
        target = anyTarget;
      };
      body = { kernel, initramfs, target, ... }@arguments:
        let
          system = {
            inherit kernel initramfs target;
            inherit (arguments) expect expectAnywhere;
            boot = describe { description = "The runner, with this system for ${target} as its default"; mainProgram = "boot"; }
              (mkBoot (arguments // { target = targets.${target}; }));
            image = describe { description = "The kernel and the initramfs, with their SHA-256"; } (mkImage { inherit kernel initramfs; });
            check = lib.mkBootCheck { inherit system; };
          };
        in
        system;
    };

    mkBootCheck = {
      arguments = checked // {
        system = { type = made "mkSystem" [ "boot" "expect" "target" ]; };
        name = { type = string; default = "boot-check"; };
      };
      body = arguments: describe { description = "The boot of this system, with the text that it has to print"; }
        (import ./boot-check.nix { inherit toolchain targets; } arguments);
    };

    mkMatrix = {
      arguments = checked // {
        kernels = { type = attrsOf path; };
        # One of the two.
        initramfs = { type = path; default = null; };
        commands = { type = attrsOf string; default = { }; };
        machines = { type = listOf string; default = [ "" ]; };
        memories = { type = listOf natural; default = [ ]; };
        cmdline = { type = string; default = ""; };
        target = anyTarget;
      };
      body = import ./matrix.nix { inherit lib; };
    };

    mkTest = {
      arguments = guest // {
        name = { type = string; default = "test"; };
        # One of the two.
        program = { type = path; default = null; };
        script = { type = string; default = null; };
        args = { type = listOf string; default = [ ]; };
        env = { type = attrsOf string; default = { }; };
        status = { type = status; default = 0; };
      };
      body = arguments: describe { description = "What a program does in a Linux kernel of its own"; } (tests.mkTest arguments);
    };

    mkRustTest = {
      arguments = guest // {
        src = { type = path; };
        cratesHash = { type = string; default = ""; };
        args = { type = listOf string; default = [ ]; };
      };
      body = arguments: describe { description = "The tests of a Rust package, in a Linux kernel of their own"; } (tests.mkRustTest arguments);
    };
  };

  lib = builtins.mapAttrs (name: { arguments, body }: function name arguments body) functions;
in
{
  inherit lib fragments;
  # For the check `library`, which compares them with docs/lib.md.
  arguments = builtins.mapAttrs (_: { arguments, ... }: attrNames arguments) functions;
}
