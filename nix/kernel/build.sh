# Builds the kernel in $src into $out; default.nix says what the variables are.

build=$NIX_BUILD_TOP/build
mkdir "$build" "$out"

# shellcheck source=nix/kernel/make.sh
. "$make"

# shellcheck disable=SC2086 # a list of files
if [ "$config" = allnoconfig ]; then configure $fragments; else kernel_make "$config"; fi

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
