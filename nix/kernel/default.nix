# mkKernel { src, target }: the small Linux kernel for a target from a source tree, built out of tree. With `fragments`, files
# like unpack.config, it can do what these add; where two set the same option, the later one counts.
#
# Gives a directory with the target's images (vmlinux and bzImage on x86_64) and the resolved configuration, `config`. Each image
# is an output of its own too, so that what boots one does not hold on to the others, and so is `debug`: vmlinux with its symbols.
#
# Everything that no fragment names is off (`make allnoconfig`). The build fails with the list of options when Kconfig drops one
# that they ask for. With another `config`, a make target such as x86_64_defconfig, there are no fragments.
{ toolchain }:
{ src
, target
, config ? "allnoconfig"
, fragments ? [ ]
}:
assert config == "allnoconfig" || fragments == [ ];
let
  inherit (builtins) attrNames;
  environment = import ./environment.nix { inherit toolchain; } { inherit src target; };
in
toolchain.run "kernel"
  (environment // {
    inherit config;
    outputs = [ "out" "debug" ] ++ attrNames target.kernelImages;
    images = map (image: "${image}=${target.kernelImages.${image}}") (attrNames target.kernelImages);
    # `out` has links to the images, and that is all.
    allowedReferences = attrNames target.kernelImages;
  } // (if config == "allnoconfig" then {
    fragments = environment.base ++ fragments;
    small = ./small;
    KCFLAGS = target.kernelFlags or "";
  } else { })) ./build.sh
