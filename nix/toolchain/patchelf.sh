# $out/bin/patchelf runs Debian's patchelf through the loader and the libraries that are packed with it. hosts.nix says what $library
# and $loader are.
mkdir -p root "$out/bin" "$out/lib"
for deb in $debs; do
  ar p "$deb" data.tar.xz | tar -xJ -C root
done
cp root/usr/bin/patchelf "$out/lib/"
cp "root/$library/$loader" \
  "root/$library/libc.so.6" \
  "root/$library/libm.so.6" \
  "root/$library/libgcc_s.so.1" \
  "root/usr/$library/libstdc++.so.6" "$out/lib/"
cat >"$out/bin/patchelf" <<SCRIPT
#!$builder
exec $out/lib/$loader --library-path $out/lib $out/lib/patchelf "\$@"
SCRIPT
chmod +x "$out/bin/patchelf"
