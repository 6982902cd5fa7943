# The first executables: busybox, which runs as it is, and patchelf, which makes everything else run.
{ system, busyboxDeb, busyboxHash, patchelfDebs }:
let
  # nixpkgs' own first executable: a busybox with a shell, mkdir, tar and unxz. Only a machine whose store lacks our
  # busybox fetches it, because a downloaded file can be made executable only if the hash of that is known, and this is
  # the one whose hash the Nix world has on record (nixpkgs, pkgs/stdenv/linux/bootstrap-files).
  seed = derivation {
    name = "busybox";
    system = "builtin";
    builder = "builtin:fetchurl";
    url = "http://tarballs.nixos.org/stdenv/x86_64-unknown-linux-gnu/82b583ba2ba2e5706b35dbe23f31362e62be2a9d/busybox";
    executable = true;
    outputHash = "sha256-QrTEnQTBM1Y/qV9odq8irZkQSD9uOMbs2Q5NgCvKCNQ=";
    outputHashMode = "recursive";
    preferLocalBuild = true;
    impureEnvVars = [ "http_proxy" "https_proxy" "ftp_proxy" "all_proxy" "no_proxy" ];
  };
in
rec {
  # bin/busybox of busybox-static, and nothing else. Fixed-output, so that `nixw` can put it into the store too and the
  # seed is not needed then.
  busybox = derivation {
    name = "busybox-static";
    inherit system;
    deb = busyboxDeb;
    builder = seed;
    args = [ "ash" "-e" ./seed.sh ];
    outputHash = busyboxHash;
    outputHashMode = "recursive";
  };

  # Busybox under the name of each of its applets.
  tools = derivation {
    name = "tools";
    inherit system;
    builder = "${busybox}/bin/busybox";
    args = [ "sh" "-ec" "${busybox}/bin/busybox mkdir -p $out/bin; ${busybox}/bin/busybox --install -s $out/bin" ];
  };

  # run NAME ENVIRONMENT SCRIPT: the derivation that SCRIPT, a file for busybox's shell, builds with busybox's tools.
  run = name: environment: script: derivation ({
    inherit name system;
    builder = "${tools}/bin/sh";
    args = [ "-e" script ];
    PATH = "${tools}/bin";
  } // environment);

  # textFile NAME TEXT: a file with TEXT, which may have store paths in it. (builtins.toFile takes none that has to be built.)
  textFile = name: text:
    if builtins.hasContext text then run name { inherit text; passAsFile = [ "text" ]; } (builtins.toFile "text-file.sh" "cp $textPath $out\n")
    else builtins.toFile name text;

  # shellWord TEXT: TEXT as one word of a POSIX shell.
  shellWord = text: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] text}'";

  # program NAME TEXT: bin/NAME, a script for busybox's shell.
  program = name: text: run name { inherit text; } (builtins.toFile "program.sh" ''
    mkdir -p $out/bin
    printf '#!%s\n%s' "$builder" "$text" > $out/bin/$name
    chmod +x $out/bin/$name
  '');

  # patchelf with the libraries it needs, to be run through their loader: the files it works on are never those it runs from.
  patchelf = run "patchelf" { debs = patchelfDebs; } ./patchelf.sh;
}
