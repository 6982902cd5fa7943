# mkMatrix: a set with a check for each combination of kernels, machines and memory sizes. Its name joins their names. A check is the boot
# of `initramfs` (mkBootCheck), or, for each of `commands`, its run in a guest (mkTest).
{ lib }:
{ kernels, initramfs, commands, machines, memories, cmdline, target, timeout, ... }@arguments:
let
  inherit (builtins) attrNames concatMap concatStringsSep filter listToAttrs removeAttrs;
  sizes = if memories == [ ] then [ null ] else memories;
  withMemory = memory: if memory == null then { } else { inherit memory; };
  all = function: values: concatMap function values;

  # What is checked in each place: `name`, or nothing, and `check`, a function of the place and of the name of the check.
  boot = {
    name = "";
    check = name: { kernel, machine, memory }: lib.mkBootCheck (removeAttrs arguments [ "kernels" "initramfs" "commands" "machines" "memories" "cmdline" "target" ] // {
      inherit name;
      system = lib.mkSystem ({ inherit kernel initramfs cmdline machine target; } // withMemory memory);
    });
  };
  command = command: {
    name = command;
    check = name: { kernel, machine, memory }: lib.mkTest ({ inherit name kernel machine target timeout; script = commands.${command}; } // withMemory memory);
  };

  cell = subject: kernel: machine: memory:
    let name = concatStringsSep "-" (filter (part: part != "") [ kernel machine (if memory == null then "" else "${toString memory}M") subject.name ]); in
    {
      inherit name;
      value = subject.check "matrix-${name}" { kernel = kernels.${kernel}; inherit machine memory; };
    };
  cells = subject: all (kernel: all (machine: map (cell subject kernel machine) sizes) machines) (attrNames kernels);
in
if kernels == { } || machines == [ ] then throw "mkMatrix: `kernels` and `machines` must not be empty"
else if (initramfs == null) == (commands == { }) then throw "mkMatrix: takes one of the arguments `initramfs` and `commands`"
else listToAttrs (all cells (if commands == { } then [ boot ] else map command (attrNames commands)))
