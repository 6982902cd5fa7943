# golden.json: the SHA-256 of everything that is booted, and the NAR hashes of the tools that make it. `file` has them as built
# here; checks/golden.json as they were recorded, which `program`, bin/golden, does anew.
{ toolchain }:
{ guestSystems, targets }:
let
  inherit (builtins) attrNames listToAttrs;
  inherit (toolchain) run tools;

  # NAME=FILE for each; of the archive, what is in the initramfs.
  files = target: { init, initramfs, kernel, ... }:
    [ "init=${init}/bin/init" "archive=${initramfs}" "initramfs=${initramfs}" "config=${kernel}/config" ]
    ++ map (image: "${image}=${kernel.${image}}") (attrNames targets.${target}.kernelImages);

  # Nix tells a builder the hashes of what it may read only as JSON.
  narHashes = derivation {
    name = "nar-hashes";
    inherit (tools) system;
    builder = "${tools}/bin/sh";
    # No variable reaches a builder beside the JSON.
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
