mkdir "$out"
if [ -d "$kernel" ]; then cp -L "$kernel"/* "$out/"; else cp "$kernel" "$out/kernel"; fi
cp "$initramfs" "$out/$(basename "$initramfs" | cut -c 34-)" # of HASH-NAME
cd "$out"
sha256sum -- * >"$NIX_BUILD_TOP/sums"
cp "$NIX_BUILD_TOP/sums" SHA256SUMS
