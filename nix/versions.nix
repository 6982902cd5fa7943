# The versions of the packages, as attribute sets with `version`. Reading them needs no source.
{ inputs, toolchain }:
let
  inherit (builtins) fromJSON fromTOML head match readFile;
  linux = (fromJSON (readFile ../flake.lock)).nodes.linux.locked;
  numberIn = pattern: text: { version = head (match pattern text); };
in
{
  project = { inherit ((fromTOML (readFile ../Cargo.toml)).workspace.package) version; };
  # The lock's URL has it. The version of another tree, from `--override-input`, is unknown.
  linux = if inputs.linux.narHash or "" == linux.narHash then numberIn ".*/linux_([0-9.]*)[.]orig[.].*" linux.url else { };
  # Debian's version is EPOCH:VERSION+dfsg-REVISION.
  qemu = numberIn "[0-9]*:([0-9.]*).*" toolchain.versions.qemu-system-x86;
}
