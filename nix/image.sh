mkdir "$out"
cp -L "$kernel"/* "$out/"
cp "$initramfs" "$out/initramfs.cpio.gz"
cd "$out"
sha256sum -- * >"$NIX_BUILD_TOP/sums"
cp "$NIX_BUILD_TOP/sums" SHA256SUMS
