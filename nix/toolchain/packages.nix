# The pinned tools, by tree. A tree is a directory made from Debian packages that runs from the store (see tree.sh).
#
#   packages  the names of the packages; `NAME/SUITE` takes one from that suite
#   without   dependencies that are not followed
#   on        trees that this one depends on: it does not repeat their packages, and finds their libraries
#   keep      the content of the tree, as paths and shell patterns below Debian's /usr. The libraries that it needs are added.
#             Without `keep`, the tree has everything
#
# The versions are in lock/, which `nix run .#update` writes from the names here. `host` is a row of hosts.nix.
{ host }:
let
  inherit (builtins) attrNames filter listToAttrs replaceStrings;
  inherit (host) triple;
  # Only maintainer scripts need these packages, and maintainer scripts do not run here.
  scripts = [ "debconf" "dpkg" "perl" "perl-base" "install-info" "adduser" "ucf" "init-system-helpers" "lsb-base" ];
  libraries = host.library;
  # The targets of QEMU that are not the host's own.
  foreign = filter (name: let target = host.targets.${name}; in target ? qemu && !target.isNative) (attrNames host.targets);

  # gcc and binutils for another architecture, on top of cc. They have no libc, which a kernel and an init do not need.
  cross = name:
    let
      inherit (host.targets.${name}) debian triple;
      inPackages = replaceStrings [ "_" ] [ "-" ] triple;
    in
    {
      packages = [ "gcc-12-${inPackages}" "binutils-${inPackages}" ];
      # Those of cc, and the run-time libraries for that architecture.
      without = scripts ++ [ "libcc1-0" ] ++
        map (library: "${library}-${debian}-cross") [ "libgcc-s1" "libgomp1" "libitm1" "libatomic1" "libasan8" "liblsan0" "libtsan2" "libubsan1" "libhwasan0" "libquadmath0" ];
      on = [ "glibc" "cc" ];
      keep = map (name: "bin/${triple}-${name}") [ "ar" "as" "gcc-12" "ld" "ld.bfd" "nm" "objcopy" "objdump" "readelf" "strip" ]
        # gcc runs these, without the prefix.
        ++ map (name: "${triple}/bin/${name}") [ "as" "ld" ]
        ++ map (name: "lib/gcc-cross/${triple}/12/${name}") [ "cc1" "collect2" "include" "liblto_plugin.so" "libgcc.a" "lto-wrapper" ];
      finish = "ln -s ${triple}-gcc-12 bin/${triple}-gcc";
    };

  # QEMU for the target `name`.
  qemu = name:
    let inherit (qemus.${name}) packages keep; in {
      packages = packages ++ [ "qemu-system-common" "qemu-system-data" ];
      without = scripts ++ [
        "ipxe-qemu" # network boot
        # For displays, sound and devices of the host: modules of qemu-system-common that are not kept.
        "libasound2"
        "libbrlapi0.8"
        "libcacard0"
        "libepoxy0"
        "libgbm1"
        "libsndio7.0"
        "libspice-server1"
        "libusb-1.0-0"
        "libusbredirparser1"
      ];
      on = [ "glibc" ];
      keep = [ "bin/qemu-system-${name}" ] ++ keep;
    };
  # Its packages, and the files that it needs besides its program.
  qemus = {
    x86_64 = {
      packages = [ "qemu-system-x86" "seabios" ];
      keep = [
        "${libraries}/qemu/accel-tcg-x86_64.so"
        "share/seabios/bios*.bin" # machines pc and q35
        "share/qemu/qboot.rom"
        "share/qemu/bios-microvm.bin" # machine microvm
        "share/qemu/linuxboot*.bin"
        "share/qemu/pvh.bin"
        "share/qemu/multiboot*.bin" # loaders for -kernel, by format
        "share/qemu/kvmvapic.bin"
      ];
    };
    aarch64 = { packages = [ "qemu-system-arm" ]; keep = [ ]; };
    riscv64 = {
      packages = [ "qemu-system-misc" ];
      keep = [ "share/qemu/opensbi-riscv64-generic-fw_dynamic.bin" ]; # the firmware
    };
  };

  # For each foreign target, as PREFIX-TARGET.
  forForeign = prefix: function: listToAttrs (map (name: { name = "${prefix}-${name}"; value = function name; }) foreign);
in
{
  # The first program. It is static, and bootstrap.nix unpacks it.
  busybox.packages = [ "busybox-static" ];

  # Makes all other trees run from the store. It runs through its own loader.
  patchelf.packages = [ "patchelf" ];

  # The C library of all other trees.
  glibc = {
    packages = [ "libc6" "libgcc-s1" ];
    keep = [ host.loaderPath "${libraries}/lib*.so*" "${libraries}/ld-linux*" ];
  };

  cc = {
    packages = [ "gcc-12" "binutils" "libc6-dev" ];
    without = scripts ++ [
      "rpcsvc-proto"
      "libcrypt-dev"
      "libnsl-dev"
      "libtirpc-dev" # headers that were once in the C library
      "libcc1-0"
      "libgprofng0" # for debuggers and profilers
      "libasan8"
      "libhwasan0"
      "liblsan0"
      "libtsan2"
      "libubsan1"
      "libgomp1"
      "libitm1"
      "libatomic1"
      "libquadmath0" # run-time libraries of gcc's extensions
    ];
    on = [ "glibc" ];
    # gcc's specs file takes the place of a wrapper script. It says where the headers are, and which loader and C library the linked
    # programs use. gcc finds everything else relative to itself. The file must be complete: if there is one, gcc leaves out defaults
    # that it otherwise finds at run time ("undefined reference to _Unwind_Resume").
    finish = ''
      for name in gcc cc; do ln -s gcc-12 bin/$name; done
      headers="%{!nostdinc:-idirafter $out/include/${triple} -idirafter $out/include}"
      link="-dynamic-linker $glibc/$library/$loader -rpath $glibc/$library -L$glibc/$library"
      bin/gcc -dumpspecs > specs
      # libgcc_s, even if nothing calls it: glibc loads it when a thread ends, and by itself looks for it in /lib alone
      # ("libgcc_s.so.1 must be installed for pthread_exit to work").
      sed "/^\*cpp:$/{n; s#\$# $headers#}; /^\*link:$/{n; s#\$# %{!static:%{!static-pie:%{!r:$link}}}#}
        /^\*libgcc:$/{n; s#--as-needed -lgcc_s#--no-as-needed -lgcc_s#}" specs > lib/gcc/${triple}/12/specs
      rm specs
    '';
  };

  rust = {
    packages = [ "rustc-web" "cargo-web" ];
    without = scripts ++ [ "gcc" "libc-dev" "binutils" ];
    on = [ "glibc" ];
  };

  lint = {
    packages = [ "rust-web-clippy" "rustfmt-web" ];
    without = scripts ++ [ "gcc" "libc-dev" "binutils" ];
    on = [ "glibc" "rust" ];
  };

  # The programs of a kernel build besides cc and busybox. Our own small kernel does not need Perl, OpenSSL and the last line of `keep`,
  # but most larger kernels do, such as x86_64_defconfig.
  kbuild = {
    packages = [ "make" "dash" "mawk" "flex" "bison" "m4" "tar" "xz-utils" "coreutils" "diffutils" "findutils" "libelf-dev" "libssl-dev" "perl-base" ];
    without = scripts ++ [ "libc6-dev" "libc-dev" ];
    on = [ "glibc" ];
    keep = [
      "bin/make"
      "bin/flex"
      "bin/bison"
      "share/bison"
      "bin/m4"
      "bin/xz"
      # Busybox's programs are not enough here. Its sh and xargs run applets whatever PATH says, among them an ar and an xz that only
      # read. It has no install, its diff and find lack options, and its awk fails on a plain { in a regular expression.
      "bin/dash"
      "bin/mawk"
      "bin/xargs"
      "bin/install"
      "bin/diff"
      "bin/find"
      # Busybox's has no --exclude, which linux.nix needs.
      "bin/tar"
      "include/*elf.h"
      "include/elfutils"
      "include/zlib.h"
      "include/zconf.h"
      "${libraries}/libelf*"
      "${libraries}/libz.*" # for objtool
      "bin/perl"
      "${libraries}/perl-base"
      "include/openssl"
      "include/${triple}/openssl"
      "${libraries}/libcrypto*"
    ];
    finish = "ln -s mawk bin/awk";
  };

  # For the guests of the host's own architecture.
  qemu = qemu host.target;

  # --- for guests of other architectures ---

  # The sources of `core`, which Debian has compiled only for the host: nix/rust/core.nix.
  rust-src = {
    packages = [ "rust-web-src" ];
    without = scripts;
    keep = map (part: "src/rustc-1.85.0/library/${part}") [ "core" "portable-simd" "stdarch" ];
    finish = "mv src/rustc-1.85.0/library/* .; rm -r src";
  };

  # A linker that makes flat binaries like init for any architecture: `needsLld` of targets.nix.
  lld = {
    packages = [ "lld-19" ];
    without = scripts;
    on = [ "glibc" "rust" ];
    keep = [ "lib/llvm-19/bin/lld" ];
    finish = "mkdir bin; mv lib/llvm-19/bin/lld bin/ld.lld; rm -r lib";
  };

  # Runs programs of other architectures as processes of the host, for the checks.
  qemu-user = {
    packages = [ "qemu-user" ];
    without = scripts ++ [ "qemu-user-binfmt" ];
    on = [ "glibc" ];
    keep = map (name: "bin/qemu-${name}") foreign;
  };

  # Programs that only the checks run.
  check = {
    packages = [ "strace" "shellcheck" "libfaketime" "bsdutils" ];
    without = scripts;
    on = [ "glibc" ];
  };

  # Programs that the tests and the benchmark compare packer with.
  peers = {
    packages = [ "cpio" "libarchive-tools" "gzip" "pigz" "zstd" "xz-utils" ];
    without = scripts;
    on = [ "glibc" ];
    keep = [ "bin/cpio" "bin/bsdcpio" "bin/gzip" "bin/pigz" "bin/zstd" "bin/xz" ];
  };

  # Programs for people, in `nix develop`.
  shell = {
    packages = [ "bash" "gdb-minimal" ];
    without = scripts ++ [ "base-files" "debianutils" ];
    on = [ "glibc" ];
  };

  # For `nix run .#update`: the keys that sign Debian's indexes, and the program that checks signatures.
  keyring = {
    packages = [ "gpgv" "debian-archive-keyring" ];
    without = scripts;
    on = [ "glibc" ];
    keep = [ "bin/gpgv" "share/keyrings/debian-archive-keyring.gpg" ];
  };

  # For cargo, if nixw has not added the crates to the store.
  certificates = {
    packages = [ "ca-certificates" ];
    without = scripts ++ [ "openssl" ];
    keep = [ "share/ca-certificates/mozilla/*.crt" ];
    finish = ''
      cat share/ca-certificates/mozilla/*.crt > ca-certificates.crt
      rm -r share
    '';
  };
}
// forForeign "cc" cross // forForeign "qemu" qemu
