# kernel_make ARGUMENT...: make, of the kernel's tree $src into directory $build. For build.sh and checks/boot/fragments.nix.
#
#   kernelArch, prefix  of targets.nix
#   triple, library     of hosts.nix
#   kbuild, cc          the trees of tools and of the host's gcc; their bin, and that of the target's gcc, are in PATH
#   small               the directory small, or nothing
#   vdsoFlags           options to link the vDSO, or nothing for the kernel's own

# These were built for /usr.
export BISON_PKGDATADIR=$kbuild/share/bison M4=$kbuild/bin/m4 PERL5LIB=$kbuild/$library/perl-base
# What the kernel would otherwise take from the clock, the user and the host. The date is in a form that busybox can read:
# with one that it cannot, the build takes the clock's and does not say so.
export KBUILD_BUILD_TIMESTAMP='1970-01-01 00:00:00' TZ=UTC0 KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_USER=nobody KBUILD_BUILD_HOST=nowhere

export KCPPFLAGS=${small:+-include $small/everywhere.h}

# dash, because busybox's shell runs applets of its own whatever PATH says. Scripts that say #!/bin/sh get busybox's all the
# same, and so do the tools' own calls of make: these are given the full names of an xz that compresses and an ar that archives.
kernel_make() {
  make -s -C "$src" O="$build" ARCH="$kernelArch" CROSS_COMPILE="$prefix" -j"$NIX_BUILD_CORES" \
    SHELL="$kbuild/bin/dash" CONFIG_SHELL="$kbuild/bin/dash" XZ="$kbuild/bin/xz" HOSTAR="$cc/bin/ar" \
    HOSTCFLAGS="-I$kbuild/include -I$kbuild/include/$triple" \
    HOSTLDFLAGS="-L$kbuild/$library -Wl,-rpath,$kbuild/$library" \
    ${small:+CFLAGS_tsc.o="-include $small/tsc.h"} ${vdsoFlags:+VDSO_LDFLAGS="$vdsoFlags"} "$@"
}

# configure FRAGMENT...: what they ask for of this target and this version of Linux, and nothing else, as $build/.config. Fails,
# with a list, if something is missing. More variables: target and targets, names; select and checkConfig, the files beside this.
configure() {
  version=$(awk '/^VERSION =/ { version = $3 } /^PATCHLEVEL =/ { print version "." $3; exit }' "$src/Makefile")
  rm -rf "$build/fragments"
  mkdir "$build/fragments"
  count=0
  for fragment; do
    # Numbered, because two may have the same name.
    count=$((count + 1))
    selected=$build/fragments/$count-$(basename "$fragment")
    shift
    set -- "$@" "$selected"
    awk -v target="$target" -v targets="$targets" -v version="$version" -f "$select" "$fragment" >"$selected" || return
  done
  # (awk, because unlike cat it ends every last line.)
  awk 1 "$@" >"$build/all.config"
  KCONFIG_ALLCONFIG="$build/all.config" kernel_make allnoconfig || return
  sh "$checkConfig" "$build/.config" "$@"
}
