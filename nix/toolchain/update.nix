# bin/update: writes the locks of all hosts from Debian's index. It uses the pinned gpgv and keyring, and the machine's curl and nix.
{ program, keyring, tools, update }:
let
  hosts = builtins.attrValues (import ../hosts.nix);
  # The lock of one host.
  lock = host: ''
    UPDATE_TREES=${builtins.toFile "packages-${host.debian}.json" (builtins.toJSON (import ./packages.nix { inherit host; }))} \
      ${update}/bin/update --architecture ${host.debian} "$@" nix/toolchain/lock/${host.debian}.json
  '';
in
program "update" ''
  set -e
  export UPDATE_KEYRING="''${UPDATE_KEYRING-${keyring}/share/keyrings/debian-archive-keyring.gpg}"
  export PATH=${keyring}/bin:$PATH:${tools}/bin
  ${builtins.concatStringsSep "" (map lock hosts)}
''
