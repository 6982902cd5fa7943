# mkKernel { src, target, fragments ?, config ? }: the small Linux kernel for a target, built from the source tree `src`. `fragments` are
# files like unpack.config, which add options. If two set the same option, the later one counts.
#
# The result is a directory with the target's images (vmlinux and bzImage on x86_64) and the resolved configuration, `config`. Each
# image is also a separate output, so that the closure of a system has only the image that it boots. So is `debug`, vmlinux with its
# symbols.
#
# `lines` is the same kernel once more, whose `debug` also tells which line of the sources each instruction comes from, as DWARF. The
# sources are in /linux there.
#
# All options that no fragment sets are off (`make allnoconfig`). If Kconfig drops an option that a fragment sets, the build fails with a
# list of these. Another `config`, a make target such as x86_64_defconfig, takes no fragments.
{ toolchain }:
let
  linesConfig = builtins.toFile "lines.config" ''
    CONFIG_DEBUG_KERNEL=y
    # This would add code.
    # CONFIG_DEBUG_MISC is not set
    CONFIG_DEBUG_INFO_DWARF5=y
  '';

  build = hasLines:
    { src
    , target
    , config ? "allnoconfig"
    , fragments ? [ ]
    }:
      assert config == "allnoconfig" || fragments == [ ];
      let
        inherit (builtins) attrNames;
        environment = import ./environment.nix { inherit toolchain; } { inherit src target; };
        flags = target.kernelFlags or "";
        prefixMap = "-fdebug-prefix-map=${src}=/linux";
      in
      toolchain.run "kernel"
        (environment // {
          inherit config;
          outputs = [ "out" "debug" ] ++ attrNames target.kernelImages;
          images = map (image: "${image}=${target.kernelImages.${image}}") (attrNames target.kernelImages);
          # `out` may only refer to the images, by links.
          allowedReferences = attrNames target.kernelImages;
        } // (if config == "allnoconfig" then {
          fragments = environment.base ++ fragments ++ (if hasLines then [ linesConfig ] else [ ]);
          small = target.kernelHeaders or ./small;
          KCFLAGS = if hasLines then "${flags} ${prefixMap}" else flags;
        } else { }) // (if hasLines then { KAFLAGS = prefixMap; } else { })) ./build.sh;
in
arguments: build false arguments // { lines = build true arguments; }
