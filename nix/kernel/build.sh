# Builds the kernel in $src into $out; default.nix says what the variables are.

build=$NIX_BUILD_TOP/build
mkdir "$build" "$out"
[ -z "$from" ] || tar -xzf "$from" -C "$build"

library=lib/x86_64-linux-gnu

# These were built for /usr.
export BISON_PKGDATADIR=$kbuild/share/bison M4=$kbuild/bin/m4 PERL5LIB=$kbuild/$library/perl-base
# What the kernel would otherwise take from the clock, the user and the host. The date is in a form that busybox can read:
# with one that it cannot, the build takes the clock's and does not say so.
export KBUILD_BUILD_TIMESTAMP='1970-01-01 00:00:00' TZ=UTC0 KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_USER=nobody KBUILD_BUILD_HOST=nowhere

export KCPPFLAGS=${small:+-include $small}

# dash, because busybox's shell runs applets of its own whatever PATH says. Scripts that say #!/bin/sh get busybox's all the
# same; the one that compresses is given the full name of an xz that can.
kernel_make() {
  make -s -C "$src" O="$build" ARCH="$kernelArch" CROSS_COMPILE="$prefix" -j"$NIX_BUILD_CORES" \
    SHELL="$kbuild/bin/dash" CONFIG_SHELL="$kbuild/bin/dash" XZ="$kbuild/bin/xz" \
    HOSTCFLAGS="-I$kbuild/include -I$kbuild/include/x86_64-linux-gnu" \
    HOSTLDFLAGS="-L$kbuild/$library -Wl,-rpath,$kbuild/$library" "$@"
}

# shellcheck disable=SC2086 # a list of files. (awk, because unlike cat it ends every last line.)
awk 1 $fragments >"$build/fragments"
KCONFIG_ALLCONFIG="$build/fragments" kernel_make "$config"
# shellcheck disable=SC2086 # a list of files
[ -z "$fragments" ] || sh "$checkConfig" "$build/.config" $fragments

# shellcheck disable=SC2046 # a list of targets
kernel_make $(for image in $images; do basename "${image#*=}"; done)

# vmlinux with its symbols is for a debugger; to boot it takes none.
cp "$build/vmlinux" "$debug"
"${prefix}strip" "$build/vmlinux"
cp "$build/.config" "$out/config"
for image in $images; do
  name=${image%%=*}
  eval "output=\$$name"
  cp "$build/${image#*=}" "$output"
  ln -s "$output" "$out/$name"
done

# Of one age, and no younger than the sources, which for make is up to date.
(
  cd "$build"
  rm -f vmlinux* .tmp_vmlinux*
  find . | sort >"$NIX_BUILD_TOP/files"
  xargs touch -h -d @1 <"$NIX_BUILD_TOP/files"
  tar -c --no-recursion -T "$NIX_BUILD_TOP/files" | gzip -1 >"$objects"
)
