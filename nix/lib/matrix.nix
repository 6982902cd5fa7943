# mkMatrix: a set with a check (mkBootCheck) for each combination of kernels, machines and memory sizes. Its name joins their names.
{ lib }:
{ kernels, initramfs, machines, memories, cmdline, target, ... }@arguments:
let
  inherit (builtins) attrNames concatMap concatStringsSep filter listToAttrs removeAttrs;
  cell = kernel: machine: memory:
    let name = concatStringsSep "-" (filter (part: part != "") [ kernel machine (if memory == null then "" else "${toString memory}M") ]); in
    {
      inherit name;
      value = lib.mkBootCheck (removeAttrs arguments [ "kernels" "initramfs" "machines" "memories" "cmdline" "target" ] // {
        name = "boot-check-${name}";
        system = lib.mkSystem ({
          kernel = kernels.${kernel};
          inherit initramfs cmdline machine target;
        } // (if memory == null then { } else { inherit memory; }));
      });
    };
in
if kernels == { } || machines == [ ] then throw "mkMatrix: `kernels` and `machines` must not be empty"
else
  listToAttrs (concatMap
    (kernel: concatMap
      (machine: map (cell kernel machine) (if memories == [ ] then [ null ] else memories))
      machines)
    (attrNames kernels))
