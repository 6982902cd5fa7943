# The hosts: the machines that can build and boot. (What is booted on them: targets.nix.) By the name of Nix's system.
#
#   target     the target whose programs the host runs. It is the default of `boot`
#   debian     Debian's name of the architecture. The lock of its packages is toolchain/lock/DEBIAN.json
#   loader     the file name of glibc's loader
#   loaderPath its path below /usr, as programs name it
#   seed       the first executable, from nixpkgs: bootstrap.nix
#
# These follow from the table:
#
#   triple     the GNU name of the architecture, which is in the names of Debian's directories
#   library    the directory of the libraries, below /usr
#   targets    the targets of this host, by name. Besides what targets.nix has, a target has the trees `cc` and `qemu` (if QEMU runs it)
#              with its gcc and its QEMU, `prefix`, that of the names of gcc and binutils, and `isNative`, if its gcc is the host's
let
  inherit (builtins) attrNames elem filter listToAttrs mapAttrs;
  table = import ./targets.nix;

  complete = system: host:
    let
      onHost = name:
        let
          target = table.${name};
          isNative = target.triple == table.${host.target}.triple;
        in
        target // {
          inherit isNative;
          cc = if isNative then "cc" else "cc-${name}";
          prefix = if isNative then "" else "${target.triple}-";
        } // (if target.isProgram or false then { } else { qemu = if isNative then "qemu" else "qemu-${name}"; });
      isHere = name: elem system (table.${name}.hosts or [ system ]);
    in
    host // {
      inherit system;
      inherit (table.${host.target}) triple;
      library = "lib/${table.${host.target}.triple}";
      targets = listToAttrs (map (name: { inherit name; value = onHost name; }) (filter isHere (attrNames table)));
    };
in
mapAttrs complete {
  x86_64-linux = {
    target = "x86_64";
    debian = "amd64";
    loader = "ld-linux-x86-64.so.2";
    loaderPath = "lib64/ld-linux-x86-64.so.2";
    seed = {
      url = "http://tarballs.nixos.org/stdenv/x86_64-unknown-linux-gnu/82b583ba2ba2e5706b35dbe23f31362e62be2a9d/busybox";
      hash = "sha256-QrTEnQTBM1Y/qV9odq8irZkQSD9uOMbs2Q5NgCvKCNQ=";
    };
  };

  aarch64-linux = {
    target = "aarch64";
    debian = "arm64";
    loader = "ld-linux-aarch64.so.1";
    loaderPath = "lib/ld-linux-aarch64.so.1";
    seed = {
      url = "http://tarballs.nixos.org/stdenv/aarch64-unknown-linux-gnu/8c29968b3a942f2903f90797f9623737c215737c/busybox";
      hash = "sha256-XOLFsCxNAdKh3Ni6ixNn9MlKOzIR0cRCb0naImymdsk=";
    };
  };
}
