# The first executables: busybox, which runs without a loader, and patchelf, which makes all others run from the store.
{ host, busyboxDeb, busyboxHash, patchelfDebs }:
let
  inherit (host) library loader system;

  # The first executable of nixpkgs: a busybox with a shell, mkdir, tar and unxz. Nix fetches it only if the store lacks our busybox.
  # A fetched file can be executable only if the hash of its NAR is known. nixpkgs publishes the hash of this one
  # (pkgs/stdenv/linux/bootstrap-files).
  seed = derivation {
    name = "busybox";
    system = "builtin";
    builder = "builtin:fetchurl";
    inherit (host.seed) url;
    executable = true;
    outputHash = host.seed.hash;
    outputHashMode = "recursive";
    preferLocalBuild = true;
    impureEnvVars = [ "http_proxy" "https_proxy" "ftp_proxy" "all_proxy" "no_proxy" ];
  };
in
rec {
  # Only bin/busybox of the package busybox-static. The derivation is fixed-output, so `nixw` can add the result to the store, and
  # then the seed is not needed.
  busybox = derivation {
    name = "busybox-static";
    inherit system;
    deb = busyboxDeb;
    builder = seed;
    args = [ "ash" "-e" ./seed.sh ];
    outputHash = busyboxHash;
    outputHashMode = "recursive";
  };

  # Busybox, under the names of all its applets.
  tools = derivation {
    name = "tools";
    inherit system;
    builder = "${busybox}/bin/busybox";
    args = [ "sh" "-ec" "${busybox}/bin/busybox mkdir -p $out/bin; ${busybox}/bin/busybox --install -s $out/bin" ];
  };

  # run NAME ENVIRONMENT SCRIPT: the derivation that SCRIPT builds, a file for busybox's shell, with busybox's tools in PATH.
  run = name: environment: script: derivation ({
    inherit name system;
    builder = "${tools}/bin/sh";
    args = [ "-e" script ];
    PATH = "${tools}/bin";
  } // environment);

  # textFile NAME TEXT: a file with TEXT, which may refer to derivations. (builtins.toFile does not accept that.)
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

  # patchelf with its own loader and libraries, so that it never changes a file that it runs from.
  patchelf = run "patchelf" { inherit library loader; debs = patchelfDebs; } ./patchelf.sh;
}
