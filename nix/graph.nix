# The picture in docs/how-it-works.md: what `nix run .#boot` is made from, as Nix has it. `file` is the picture; `program`, bin/graph,
# writes it into the document.
#
# The derivations themselves, the .drv files, are read. For that, nothing that they say how to build is built. But what they refer to has
# to be there: where a builder on another machine draws it, Linux' sources are sent along.
{ toolchain, rust }:
{ boot, kernel, init, initramfs, packer }:
let
  inherit (builtins) concatMap concatStringsSep unsafeDiscardOutputDependency unsafeDiscardStringContext;
  inherit (toolchain) run tools;

  # What is shown, in this order: KIND LABEL, and what is meant, as regular expressions for store paths. Everything else is left out,
  # and what leads through it is shown as one arrow. In a label, # is how many there are.
  nodes = concatMap (row: map (path: "${row.kind}\t${row.label}\t${unsafeDiscardStringContext path}\n") row.paths) [
    { kind = "source"; label = "# packages of Debian 12"; paths = [ "[.]deb[.]drv" ]; }
    { kind = "source"; label = "first busybox"; paths = [ "-busybox[.]drv" ]; }
    { kind = "tree"; label = "busybox"; paths = [ toolchain.busybox.drvPath tools.drvPath ]; }
    (tree "patchelf")
    (tree "glibc")
    (tree "cc")
    (tree "kbuild")
    (tree "rust")
    (tree "certificates")
    (tree "qemu")
    { kind = "source"; label = "Linux"; paths = [ "${kernel.src}" ]; }
    { kind = "source"; label = "nix/kernel/"; paths = [ "[.]config" ]; }
    { kind = "source"; label = "Cargo.lock"; paths = [ "${rust.crates.src}" ]; }
    { kind = "tree"; label = "crates"; paths = [ rust.crates.drvPath ]; }
    { kind = "tree"; label = "dependencies"; paths = [ rust.dependencies.drvPath ]; }
    { kind = "source"; label = "init/"; paths = [ "${init.src}" ]; }
    { kind = "source"; label = "packer/"; paths = [ "${packer.src}" ]; }
    { kind = "source"; label = "boot/"; paths = [ "${rust.packages.boot.src}" ]; }
    { kind = "result"; label = "kernel"; paths = [ kernel.drvPath ]; }
    { kind = "result"; label = "init"; paths = [ init.drvPath ]; }
    { kind = "result"; label = "packer"; paths = [ packer.drvPath ]; }
    { kind = "result"; label = "runner"; paths = [ rust.packages.boot.drvPath ]; }
    { kind = "result"; label = "initramfs"; paths = [ initramfs.drvPath ]; }
    { kind = "result"; label = "boot"; paths = [ boot.drvPath ]; }
  ];
  tree = name: { kind = "tree"; label = name; paths = [ toolchain.${name}.drvPath ]; };
in
rec {
  file = run "graph.md"
    {
      nodes = concatStringsSep "" nodes;
      # The file and those that it refers to, and not what they say how to build.
      root = unsafeDiscardOutputDependency boot.drvPath;
      draw = ./graph.awk;
    }
    (builtins.toFile "graph.sh" ''
      printf %s "$nodes" | awk -v root=$root -f $draw >$out
    '');

  program = toolchain.program "graph" ''
    PATH=${tools}/bin
    document=docs/how-it-works.md
    [ -e flake.nix ] && [ -e $document ] || { echo "graph: run it in the directory that has flake.nix" >&2; exit 2; }
    awk -v graph=${file} '/^```mermaid$/ { while ((getline line <graph) > 0) print line; inside = 1 } !inside; /^```$/ { inside = 0 }' $document >$document.new
    mv $document.new $document
  '';
}
