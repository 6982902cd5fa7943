# Builds the modules in $module for a kernel with the configuration $config, whose vmlinux with its symbols is $debug. module.nix says
# what the other variables are.

build=$NIX_BUILD_TOP/build
mkdir "$build" "$out"

# shellcheck source=nix/kernel/make.sh
. "$make"

grep -q '^CONFIG_MODULES=y$' "$config" || {
  echo "mkModule: this kernel has no modules; make it with mkKernel { fragments = [ \"modules\" ]; }" >&2
  exit 1
}
cp "$config" "$build/.config"
chmod u+w "$build/.config"
kernel_make modules_prepare
# What modules may use, from the kernel itself: its own build has no list of that.
"${prefix}nm" "$debug" | awk -f "$symbols" >"$build/Module.symvers"

cp -r "$module" "$NIX_BUILD_TOP/module"
chmod -R u+w "$NIX_BUILD_TOP/module"
kernel_make M="$NIX_BUILD_TOP/module" modules
cd "$NIX_BUILD_TOP/module"
find . -name '*.ko' | while read -r file; do
  "${prefix}strip" --strip-debug "$file"
  cp "$file" "$out/"
done
[ -n "$(ls "$out")" ] || { echo "mkModule: $module has made no module; its Kbuild file names none in obj-m" >&2; exit 1; }
