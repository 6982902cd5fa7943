# The versions of the packages, as attribute sets with `version`. Reading them needs no source.
{ linux, toolchain }:
let
  inherit (builtins) fromTOML head match readFile;
  numberIn = pattern: text: { version = head (match pattern text); };
in
{
  project = { inherit ((fromTOML (readFile ../Cargo.toml)).workspace.package) version; };
  # The version of another tree, from `--override-input`, is unknown.
  linux = if linux.version == null then { } else { inherit (linux) version; };
  # Debian's version is EPOCH:VERSION+dfsg-REVISION.
  qemu = numberIn "[0-9]*:([0-9.]*).*" toolchain.versions.qemu-system-x86;
}
