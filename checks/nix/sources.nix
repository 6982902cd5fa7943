# Every source has a hash and comes from a host in the list below. Packages come from Debian's main archive, whose software is
# free.
{ toolchain, rust, lint, repositoryFiles }:
let
  # KIND NAME HASH URL, for each file and directory that nixw or Nix fetches. The size of a file follows its URL.
  line = kind: source: url: "${kind} ${source.name} ${source.outputHash} ${url}\n";
  file = source: line "file" source "${source.url} ${toString source.size}";
  lines = map file (builtins.attrValues toolchain.debs ++ [ (toolchain.fetch (builtins.fromJSON (builtins.readFile ../../nix/kernel/linux.json))) ])
    ++ [ (line "busybox" toolchain.busybox toolchain.busybox.deb.url) ]
    ++ map (crates: line "crates" crates crates.directory) [ rust.crates lint.crates ];
  lock = builtins.fromJSON (builtins.readFile ../../flake.lock);
  # NAME TYPE HASH, for each input of the flake.
  input = name: let node = lock.nodes.${name}.locked; in "${name} ${node.type} ${node.narHash or "-"}\n";
  names = builtins.filter (name: lock.nodes.${name} ? locked) (builtins.attrNames lock.nodes);
in
toolchain.run "sources"
{
  inherit (toolchain.host) debian;
  src = repositoryFiles "locks" [ "flake.nix" "flake.lock" "nixw" "nix" "Cargo.lock" ];
  inputs = builtins.concatStringsSep "" (map input names);
  lines = builtins.concatStringsSep "" lines;
  hosts = ''
    http://tarballs.nixos.org
    https://cache.nixos.org
    https://nixos.org
    https://snapshot.debian.org
    registry+https://github.com
  '';
}
  (builtins.toFile "sources.sh" ''
    wrong() { echo "$*"; exit 1; }
    sri='sha256-[A-Za-z0-9+/]{43}='

    # Every address: cache.nixos.org is what nixw switches off, nixos.org what it tells people of.
    cd $src
    grep -rhoE "[a-z+]+://[^/\"' )>\$*]+" . | sort -u >$NIX_BUILD_TOP/addresses
    cd $NIX_BUILD_TOP
    printf %s "$hosts" | diff - addresses || wrong "these are the hosts that were listed (-) and those that are named (+)"

    # Every package of nix/toolchain/lock/$debian.json, and the other sources.
    printf %s "$lines" >lines
    [ "$(grep -c '^file ' lines)" = "$(cat $src/nix/toolchain/lock/$debian.json $src/nix/kernel/linux.json | grep -c '"sha256":')" ]
    if grep -vE "^(file [^ ]+ [0-9a-f]{64} [^ ]+ [0-9]+|(busybox|crates) [^ ]+ $sri [^ ]+)$" lines; then
      wrong "no SHA-256, or a file without its size"
    fi
    # Debian's permanent archive has them below this path, its mirrors below pool/.
    if grep '^file ' lines | grep -v ' https://snapshot.debian.org/archive/debian/[0-9TZ]*/pool/main/'; then wrong "not from Debian's main archive"; fi

    # The inputs of the flake.
    printf %s "$inputs" >inputs
    [ -s inputs ]
    if grep -vE "^[^ ]+ (tarball|github) $sri$" inputs; then wrong "neither a tarball nor from GitHub, or no hash"; fi

    # All crates but our own: a source and a checksum, and no source but the registry.
    for lock in Cargo.lock nix/lint/Cargo.lock; do
      awk -v RS= '/^\[\[package\]\]/ && /\nsource = / && !(/\nsource = "registry\+/ && /\nchecksum = "[0-9a-f]+"/) { print; bad = 1 } END { exit bad }' \
        $src/$lock || wrong "$lock: no checksum, or not from the registry"
    done
    cat lines inputs >$out
  '')
