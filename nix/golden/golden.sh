# Writes golden.json, as golden.nix says.
sha256() { sha256sum | cut -d ' ' -f 1; }
{
  echo "{"
  for target in $targets; do
    echo "  \"$target\": {"
    eval "files=\$files_$target"
    for file in $files; do
      name=${file%%=*} file=${file#*=}
      case $name in
        archive) hash=$(gunzip <"$file" | sha256) ;;
        *) hash=$(sha256 <"$file") ;;
      esac
      echo "    \"$name\": \"$hash\","
    done | sed '$s/,$//'
    echo "  },"
  done
  echo "  \"trees\": {"
  sed 's/\(.*\) \(.*\)/    "\1": "\2",/; $s/,$//' "$narHashes"
  echo "  }"
  echo "}"
} >"$out"
