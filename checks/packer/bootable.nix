# `packer verify --boot` finds nothing wrong with the systems that boot, knows the configurations of their kernels, and finds what is
# wrong with others. In checks/boot/broken.nix, Linux itself says what it does with such images.
{ products, guestSystems, library, toolchain, examples }:
let
  inherit (builtins) attrNames concatStringsSep;
  program = "${products.packer}/bin/packer";
  withLibraries = library.lib.mkInitramfs {
    inherit (products) init;
    programs = [ program ];
    files."/run" = { symlink = program; };
  };
  systems = map (name: "${name}=${guestSystems.${name}.initramfs}=${guestSystems.${name}.kernel}") (attrNames guestSystems);
in
toolchain.run "bootable"
{
  inherit program withLibraries;
  systems = concatStringsSep " " (systems ++ [ "busybox=${examples.busybox.initramfs}=${examples.busybox.kernel}" ]);
  PATH = "${products.packer}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "bootable.sh" ''
    good() {
      echo "== packer verify --boot $*"
      packer verify --boot "$@" >said 2>&1 || true
      cat said
      # A note may be there, but no error and no warning.
      grep -F ': ok, ' said
      if grep -e ': error: ' -e ': warning: ' said; then exit 1; fi
    }
    # bad TEXT ARGUMENTS...
    bad() {
      text=$1
      shift
      echo "== packer verify --boot $*"
      if packer verify --boot "$@" >said 2>&1; then cat said; exit 1; fi
      cat said
      grep -qF ": error: $text" said
    }
    for system in $systems; do
      name=''${system%%=*} rest=''${system#*=}
      image=''${rest%=*} kernel=''${rest#*=}
      for file in $kernel/*; do
        case $file in
          */config) good $image --kernel-config $file --memory 64 ;;
          # The configuration is beside the kernel.
          *) good $image --kernel $file --cpu v1 --memory 64 ;;
        esac
      done
      [ $name != aarch64 ] || bad '/init: is for aarch64 with 64 bits, and the kernel for x86_64' $image --target x86_64
    done

    # A program with its libraries is whole, and each of them is needed.
    good $withLibraries --rdinit /run
    packer extract --skip-devices $withLibraries root
    libraries=$(find root -name 'lib*.so*' -type f)
    [ -n "$libraries" ]
    for file in $libraries; do
      chmod u+w $(dirname $file)
      mv $file kept
      packer create without.cpio --tree root
      bad "" without.cpio --rdinit /run
      grep -F "needs the library $(basename $file)" said
      mv kept $file
    done
    chmod u+w $(dirname $(find root -name 'ld-linux*' -type f))
    find root -name 'ld-linux*' -type f -exec rm {} +
    packer create without.cpio --tree root
    bad "/run: leads to $program, which needs the ELF interpreter " without.cpio --rdinit /run
    echo $libraries >$out
  '')
