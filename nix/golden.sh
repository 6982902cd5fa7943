# Writes golden.json, as golden.nix says.
sha256() { sha256sum | cut -d ' ' -f 1; }
{
  echo "{"
  echo "  \"init\": \"$(sha256 <"$init/bin/init")\","
  echo "  \"archive\": \"$(gunzip <"$initramfs" | sha256)\","
  echo "  \"initramfs\": \"$(sha256 <"$initramfs")\","
  echo "  \"config\": \"$(sha256 <"$config")\","
  echo "  \"vmlinux\": \"$(sha256 <"$vmlinux")\","
  echo "  \"bzImage\": \"$(sha256 <"$bzImage")\","
  echo "  \"trees\": {"
  sed 's/\(.*\) \(.*\)/    "\1": "\2",/; $s/,$//' "$narHashes"
  echo "  }"
  echo "}"
} >"$out"
