# mkInitramfs { init, files, closures, programs, compress }: an initramfs, a single file made by packer. It has `init` as /init, a console, and the
# files, closures and programs.
#
#   init      the program, or a derivation with the program as bin/init
#   files     by absolute path, the file to copy, or one of
#               { source, mode }  { text, mode }  { symlink }  { directory = mode; }  { node = "c:5:1"; mode }  { tree }
#   closures  store paths that are packed with everything they refer to
#   programs  programs that are packed with their ELF interpreters and libraries, as `packer create --program` finds them
#   compress  as `packer create --compress` takes it
{ run, shellWord, textFile, tools, packer }:
{ init, files ? { }, closures ? [ ], programs ? [ ], compress ? "gzip" }:
let
  inherit (builtins) attrNames concatMap concatStringsSep elemAt filter genList head isAttrs length;
  storePath = import ../store-path.nix;

  kinds = {
    source = path: { source, mode ? "" }: [ "--file" "${path}=${storePath source}${colon mode}" ];
    text = path: { text, mode ? "0644" }: [ "--file" "${path}=${textFile "text" text}:${mode}" ];
    symlink = path: { symlink }: [ "--symlink" "${path}=${symlink}" ];
    directory = path: { directory }: [ "--dir" "${path}:${directory}" ];
    node = path: { node, mode ? "" }: [ "--node" "${path}=${node}${colon mode}" ];
    tree = path: { tree }: [ "--tree" "${storePath tree}:${path}" ];
  };
  colon = mode: if mode == "" then "" else ":${mode}";
  words = path: value:
    let
      entry = if isAttrs value && !value ? outPath then value else { source = value; };
      kind = filter (name: kinds ? ${name}) (attrNames entry);
    in
    if builtins.match "/.*" path == null then throw "mkInitramfs: files: `${path}` is not an absolute path"
    # packer's options take the `=` for the end of the name.
    else if builtins.match ".*=.*" path != null then throw "mkInitramfs: files: `${path}` has a `=` in it; put that file into a directory, and take this as { tree = ...; }"
    else if length kind != 1 then
      throw "mkInitramfs: files: `${path}` must be a path, or a set with one of ${concatStringsSep ", " (map (name: "`${name}`") (attrNames kinds))}"
    else kinds.${head kind} path entry;

  own = {
    "/init" = { source = if init.type or "" == "derivation" then "${init}/bin/init" else init; mode = "0755"; };
    # The kernel opens it for PID 1. The kernel's built-in archive has one, too, but this archive must not depend on that.
    "/dev" = { directory = "0755"; };
    "/dev/console" = { node = "c:5:1"; mode = "0600"; };
  };
  all = own // files;

  format = builtins.head (builtins.match "([a-z]*).*" compress);
  suffix = { gzip = ".gz"; zstd = ".zst"; xz = ".xz"; };
  graphs = genList (number: "graph-${toString number}") (length closures);
in
run "initramfs.cpio${suffix.${format} or ""}"
  ({
    PATH = "${packer}/bin:${tools}/bin";
    inherit compress graphs;
    words = map shellWord (concatMap (path: words path all.${path}) (attrNames all)
      ++ concatMap (program: [ "--program" "${storePath program}" ]) programs);
    # A variable may have at most 128 KiB, and 900 files exceed that: "Argument list too long".
    passAsFile = [ "words" "exportReferencesGraph" ];
    exportReferencesGraph = builtins.concatLists (genList (number: [ (elemAt graphs number) (elemAt closures number) ]) (length closures));
  } // (
    # Without closures and programs, nothing may refer to the store. A program that does would not start.
    if closures == [ ] && programs == [ ] then { allowedReferences = [ ]; } else { }
  ))
  ./initramfs.sh
