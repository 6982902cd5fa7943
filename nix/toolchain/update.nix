# bin/update: writes lock.json from Debian's index. It uses the pinned gpgv and keyring, and the host's curl and nix.
{ program, keyring, tools, update }:
program "update" ''
  export UPDATE_TREES=${builtins.toFile "packages.json" (builtins.toJSON (import ./packages.nix))}
  export UPDATE_KEYRING="''${UPDATE_KEYRING-${keyring}/share/keyrings/debian-archive-keyring.gpg}"
  PATH=${keyring}/bin:$PATH:${tools}/bin exec ${update}/bin/update "$@"
''
