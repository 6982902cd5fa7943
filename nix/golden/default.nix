# golden.json: the SHA-256 of everything that is booted, and the NAR hashes of the tools that make it. `file` has the hashes of what
# is built here. `program`, bin/golden, records them in checks/golden.json.
{ toolchain }:
{ guestSystems, targets }:
let
  inherit (builtins) attrNames listToAttrs;
  inherit (toolchain) run tools;

  # NAME=FILE for each. The archive is the unpacked initramfs.
  files = target: { init, initramfs, kernel, ... }:
    [ "init=${init}/bin/init" "archive=${initramfs}" "initramfs=${initramfs}" "config=${kernel}/config" ]
    ++ map (image: "${image}=${kernel.${image}}") (attrNames targets.${target}.kernelImages);

  # Nix gives a builder the hashes of its inputs only as JSON.
  narHashes = derivation {
    name = "nar-hashes";
    inherit (tools) system;
    builder = "${tools}/bin/sh";
    # With the JSON, a builder gets no variables.
    args = [ "-ec" "PATH=${tools}/bin . ${./nar-hashes.sh}" "sh" (placeholder "out") ];
    __structuredAttrs = true;
    exportReferencesGraph.trees = toolchain.trees;
  };
in
rec {
  file = run "golden.json"
    ({
      inherit narHashes;
      targets = attrNames guestSystems;
    } // listToAttrs (map (target: { name = "files_${target}"; value = files target guestSystems.${target}; }) (attrNames guestSystems)))
    ./golden.sh;

  program = toolchain.program "golden" ''
    PATH=${tools}/bin
    [ -e flake.nix ] && [ -d checks ] || { echo "golden: run it in the directory that has flake.nix" >&2; exit 2; }
    diff -U 0 checks/golden.json ${file} || cat ${file} >checks/golden.json
  '';
}
