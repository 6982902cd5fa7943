# mkKernel { src, target, fragments ?, config ? }: the small Linux kernel for a target, built from the source tree `src`. `fragments` are
# files like unpack.config, which add options. If two set the same option, the later one counts.
#
# The result is a directory with the target's images (vmlinux and bzImage on x86_64) and the resolved configuration, `config`. Each
# image is also a separate output, so that the closure of a system has only the image that it boots. So is `debug`, vmlinux with its
# symbols.
#
# All options that no fragment sets are off (`make allnoconfig`). If Kconfig drops an option that a fragment sets, the build fails with a
# list of these. Another `config`, a make target such as x86_64_defconfig, takes no fragments.
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
    # `out` may only refer to the images, by links.
    allowedReferences = attrNames target.kernelImages;
  } // (if config == "allnoconfig" then {
    fragments = environment.base ++ fragments;
    small = target.kernelHeaders or ./small;
    KCFLAGS = target.kernelFlags or "";
  } else { })) ./build.sh
