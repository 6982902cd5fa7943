# Derivations that run programs in guests of `boot run`:
#
#   mkTest      { name, program, script, args, env, status, ... }: one program. The output is what it makes at $out, or what it prints
#   mkRustTest  { src, cratesHash, args, ... }: the tests of a Rust package, each test binary in a guest
#
# Both take { kernel, target, machine, memory, timeout } as well. mkRun and `kernels` are those of the package `run`.
{ toolchain, rust, targets, mkRun, kernels }:
let
  inherit (builtins) attrNames concatStringsSep;
  inherit (toolchain) shellWord textFile tools;

  # The beginning of a command that runs a program in a guest, up to the last option.
  inGuest = function: { kernel, target, machine, memory, timeout, ... }:
    let
      # mkKernel's, and without the image that is booted.
      isOther = kernel ? debug && !kernel ? ${targets.${target}.bootImage};
      own = if kernel == null then kernels.${target} else kernel;
      run = mkRun { kernels.${target} = own; };
    in
    if isOther then throw "${function}: argument `kernel` is for another target; make it with mkKernel { target = \"${target}\"; ... }"
    # TCG, which is the same on every machine.
    else "${run}/bin/run --target ${target} --accel tcg --memory ${toString memory} --timeout ${toString timeout}"
      + (if machine == "" then "" else " --machine ${shellWord machine}");

  mainProgram = program:
    if program.type or "" != "derivation" then program
    else if program ? meta.mainProgram then "${program}/bin/${program.meta.mainProgram}"
    else throw "mkTest: argument `program` is a derivation without `meta.mainProgram`; name a file in it, as in \"\${hello}/bin/hello\"";

  # Runs in the guest.
  inside = textFile "inside.sh" ''
    share=$1
    shift
    status=0
    "$@" || status=$?
    # The archive has its name when it is complete. Nix keeps no permissions, but without these no ordinary user could unpack it.
    if [ -e "$out" ] || [ -L "$out" ]; then
      : >"$share/part"
      ${tools}/bin/find "$out" ! -type l -exec ${tools}/bin/chmod u+rwX,ug-s {} +
      ${tools}/bin/tar -cf "$share/part" -C "''${out%/*}" "''${out##*/}"
      ${tools}/bin/mv "$share/part" "$share/out.tar"
    fi
    exit "$status"
  '';
in
{
  mkTest = { name, program, script, args, env, status, ... }@arguments:
    let
      start =
        if (program == null) == (script == null) then throw "mkTest: takes one of the arguments `program` and `script`"
        else if script != null then [ "${tools}/bin/sh" "-e" "${textFile "script.sh" script}" ]
        else [ "${mainProgram program}" ];
      variables = map (variable: "--env ${shellWord "${variable}=${env.${variable}}"}") (attrNames env);
    in
    toolchain.run name
      {
        command = ''
          ${inGuest "mkTest" arguments} --share "$share:rw" ${concatStringsSep " " variables} \
            -- ${tools}/bin/sh -e ${inside} "$share" ${concatStringsSep " " (map shellWord (start ++ args))}
        '';
        inherit status;
      }
      (builtins.toFile "test.sh" ''
        # The program gets no variables of this script.
        run=$command wanted=$status share=$NIX_BUILD_TOP/share
        unset command status
        mkdir $share work
        cd work

        set -o pipefail
        status=0
        eval "$run" | tee $share/stdout || status=$?
        if [ $status != $wanted ]; then
          echo "$name: exit status $status, and not $wanted" >&2
          exit 1
        fi
        if [ -e $share/part ]; then
          echo "$name: the guest could not pass on $out" >&2
          exit 1
        fi
        if [ -e $share/out.tar ]; then tar -xf $share/out.tar -C ''${out%/*}; else cp $share/stdout $out; fi
      '');

  mkRustTest = { src, cratesHash, args, ... }@arguments: rust.mkTestOf {
    inherit src cratesHash args;
    runner = "${inGuest "mkRustTest" arguments} --";
  };
}
