# $out/bin/patchelf runs Debian's patchelf through the loader and the libraries that are packed with it.
mkdir -p root "$out/bin" "$out/lib"
for deb in $debs; do
  ar p "$deb" data.tar.xz | tar -xJ -C root
done
cp root/usr/bin/patchelf "$out/lib/"
cp root/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 \
  root/lib/x86_64-linux-gnu/libc.so.6 \
  root/lib/x86_64-linux-gnu/libm.so.6 \
  root/lib/x86_64-linux-gnu/libgcc_s.so.1 \
  root/usr/lib/x86_64-linux-gnu/libstdc++.so.6 "$out/lib/"
cat >"$out/bin/patchelf" <<SCRIPT
#!$builder
exec $out/lib/ld-linux-x86-64.so.2 --library-path $out/lib $out/lib/patchelf "\$@"
SCRIPT
chmod +x "$out/bin/patchelf"
