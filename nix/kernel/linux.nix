# The sources of Linux: the flake input `linux` if the user names one, and otherwise the pinned release in linux.json, as Debian's
# archive has it: upstream's release without six paths that are not free software and are not built here.
#
#   version    the version of the release, or null for an input
#   tree       the source tree
#   sourceFor  { config ?, fragments ? }: the tree for a kernel with this configuration
#
# The pinned release is a file that Nix fetches for a build, and not for the evaluation. Each tree is unpacked once. The whole one has
# 1.6 GB, of which our own fragments ask for a third at most. So a kernel of these fragments alone is built from a tree without the
# rest. A fragment of a user may ask for anything, and gets the whole tree.
{ inputs, toolchain }:
let
  inherit (builtins) all concatMap dirOf filter isPath;
  release = builtins.fromJSON (builtins.readFile ./linux.json);

  # flake.nix lets the input follow the flake itself, which means that there is none.
  isInput = inputs.linux.outPath != inputs.self.outPath;

  # Directories for which no fragment in this directory asks. Kconfig reads the Kconfig file of every directory, and make reads
  # many Makefiles. So the pruned tree keeps these files. If a kernel needs another missing file, its build fails.
  unneeded = [
    "Documentation"
    "samples"
    "sound"
    "tools/perf"
    "tools/testing"
  ] ++ map (name: "drivers/${name}") [ "accel" "gpu" "infiniband" "media" "net/ethernet" "net/wireless" "scsi" "staging" "usb" ]
  ++ map (name: "arch/${name}") (otherArchitectures ++ [ "arm64/boot/dts" "riscv/boot/dts" ]);
  # mips is not in this list, because the test of boot's tables of messages reads two of its files.
  otherArchitectures = [
    "alpha"
    "arc"
    "arm"
    "csky"
    "hexagon"
    "loongarch"
    "m68k"
    "microblaze"
    "nios2"
    "openrisc"
    "parisc"
    "powerpc"
    "s390"
    "sh"
    "sparc"
    "xtensa"
  ];

  unpack = name: unneeded: toolchain.run name
    {
      src = toolchain.fetch release;
      inherit unneeded;
      # GNU tar does not even write most of what is not needed. These names are of files alone, and never of links. (In tools/testing
      # there are such links; the loop below keeps them.)
      exclude = concatMap (directory: map (files: "--exclude=linux-${release.version}/${directory}/${files}") [ "*.c" "*.h" "*.rst" "*.yaml" ])
        (filter (directory: directory != "tools/testing") unneeded);
      tar = "${toolchain.kbuild}/bin/tar";
      xz = "${toolchain.kbuild}/bin/xz"; # unpacks twice as fast as busybox
    }
    (builtins.toFile "linux.sh" ''
      mkdir $out
      set -f
      $xz -dc $src | $tar -x --strip-components=1 --anchored $exclude -C $out
      set +f
      cd $out
      for directory in $unneeded; do
        find $directory -type f ! -name 'Kconfig*' ! -name 'Makefile*' ! -name 'Kbuild*' -exec rm {} +
      done
    '');
  whole = unpack "linux" [ ];
  pruned = unpack "linux-pruned" unneeded;

  isOurs = fragment: isPath fragment && dirOf fragment == ./.;
in
if isInput then { version = null; tree = inputs.linux; sourceFor = _: inputs.linux; }
else {
  inherit (release) version;
  tree = pruned;
  sourceFor = { config ? "allnoconfig", fragments ? [ ], ... }:
    if config == "allnoconfig" && all isOurs fragments then pruned else whole;
}
