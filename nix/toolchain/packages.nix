# The pinned tools, by tree. A tree is a directory made from Debian packages that runs from the store (see tree.sh).
#
#   packages  the names of the packages; `NAME/SUITE` takes one from that suite
#   without   dependencies that are not followed
#   on        trees that this one depends on: it does not repeat their packages, and finds their libraries
#   keep      the content of the tree, as paths and shell patterns below Debian's /usr. The libraries that it needs are added.
#             Without `keep`, the tree has everything
#
# The versions are in lock.json, which `nix run .#update` writes from the names here.
let
  # Only maintainer scripts need these packages, and maintainer scripts do not run here.
  scripts = [ "debconf" "dpkg" "perl" "perl-base" "install-info" "adduser" "ucf" "init-system-helpers" "lsb-base" ];
  libraries = "lib/x86_64-linux-gnu";

  # gcc and binutils for another architecture, on top of cc. They have no libc, which a kernel and an init do not need.
  cross = { gnu, debian }: {
    packages = [ "gcc-12-${gnu}" "binutils-${gnu}" ];
    # Those of cc, and the run-time libraries for that architecture.
    without = scripts ++ [ "libcc1-0" ] ++
      map (library: "${library}-${debian}-cross") [ "libgcc-s1" "libgomp1" "libitm1" "libatomic1" "libasan8" "liblsan0" "libtsan2" "libubsan1" "libhwasan0" ];
    on = [ "glibc" "cc" ];
    keep = map (name: "bin/${gnu}-${name}") [ "ar" "as" "gcc-12" "ld" "ld.bfd" "nm" "objcopy" "objdump" "readelf" "strip" ]
      # gcc runs these, without the prefix.
      ++ map (name: "${gnu}/bin/${name}") [ "as" "ld" ]
      ++ map (name: "lib/gcc-cross/${gnu}/12/${name}") [ "cc1" "collect2" "include" "liblto_plugin.so" "libgcc.a" "lto-wrapper" ];
    finish = "ln -s ${gnu}-gcc-12 bin/${gnu}-gcc";
  };

  # QEMU for one architecture. `keep` lists the files that it needs besides its program.
  qemu = { architecture, packages, keep ? [ ] }: {
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
    keep = [ "bin/qemu-system-${architecture}" ] ++ keep;
  };
in
{
  # The first program. It is static, and bootstrap.nix unpacks it.
  busybox.packages = [ "busybox-static" ];

  # Makes all other trees run from the store. It runs through its own loader.
  patchelf.packages = [ "patchelf" ];

  # The C library of all other trees.
  glibc = {
    packages = [ "libc6" "libgcc-s1" ];
    keep = [ "lib64/ld-linux-x86-64.so.2" "${libraries}/lib*.so*" "${libraries}/ld-linux*" ];
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
      headers="%{!nostdinc:-idirafter $out/include/x86_64-linux-gnu -idirafter $out/include}"
      loader="-dynamic-linker $glibc/$library/ld-linux-x86-64.so.2 -rpath $glibc/$library -L$glibc/$library"
      bin/gcc -dumpspecs > specs
      # libgcc_s, even if nothing calls it: glibc loads it when a thread ends, and by itself looks for it in /lib alone
      # ("libgcc_s.so.1 must be installed for pthread_exit to work").
      sed "/^\*cpp:$/{n; s#\$# $headers#}; /^\*link:$/{n; s#\$# %{!static:%{!static-pie:%{!r:$loader}}}#}
        /^\*libgcc:$/{n; s#--as-needed -lgcc_s#--no-as-needed -lgcc_s#}" specs > lib/gcc/x86_64-linux-gnu/12/specs
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
    packages = [ "make" "dash" "mawk" "flex" "bison" "m4" "xz-utils" "coreutils" "diffutils" "findutils" "libelf-dev" "libssl-dev" "perl-base" ];
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
      "include/*elf.h"
      "include/elfutils"
      "include/zlib.h"
      "include/zconf.h"
      "${libraries}/libelf*"
      "${libraries}/libz.*" # for objtool
      "bin/perl"
      "${libraries}/perl-base"
      "include/openssl"
      "include/x86_64-linux-gnu/openssl"
      "${libraries}/libcrypto*"
    ];
    finish = "ln -s mawk bin/awk";
  };

  qemu = qemu {
    architecture = "x86_64";
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

  # --- for guests of other architectures ---

  # The sources of `core`, which Debian has compiled only for the host: nix/rust/core.nix.
  rust-src = {
    packages = [ "rust-web-src" ];
    without = scripts;
    keep = map (part: "src/rustc-1.85.0/library/${part}") [ "core" "portable-simd" "stdarch" ];
    finish = "mv src/rustc-1.85.0/library/* .; rm -r src";
  };

  # A linker that makes flat binaries like init for any architecture. (GNU ld fails: "error: cannot change output format whilst
  # linking AArch64 binaries".)
  lld = {
    packages = [ "lld-19" ];
    without = scripts;
    on = [ "glibc" "rust" ];
    keep = [ "lib/llvm-19/bin/lld" ];
    finish = "mkdir bin; mv lib/llvm-19/bin/lld bin/ld.lld; rm -r lib";
  };

  cc-aarch64 = cross { gnu = "aarch64-linux-gnu"; debian = "arm64"; };
  qemu-aarch64 = qemu { architecture = "aarch64"; packages = [ "qemu-system-arm" ]; };

  cc-riscv64 = cross { gnu = "riscv64-linux-gnu"; debian = "riscv64"; };
  qemu-riscv64 = qemu {
    architecture = "riscv64";
    packages = [ "qemu-system-misc" ];
    keep = [ "share/qemu/opensbi-riscv64-generic-fw_dynamic.bin" ]; # the firmware
  };

  # Runs programs of other architectures as processes of the host, for the checks.
  qemu-user = {
    packages = [ "qemu-user" ];
    without = scripts ++ [ "qemu-user-binfmt" ];
    on = [ "glibc" ];
    keep = [ "bin/qemu-aarch64" "bin/qemu-riscv64" ];
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
