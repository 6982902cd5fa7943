# Compares each of `pairs`, NAME=FILE=FILE, and shows where two differ.
for pair in $pairs; do
  name=${pair%%=*} files=${pair#*=}
  one=${files%%=*} other=${files#*=}
  if cmp -s "$one" "$other"; then
    echo "$name: $(stat -c %s "$one") bytes are the same" | tee -a "$out"
    continue
  fi
  failed=true
  echo "$name: $(stat -c %s "$one") bytes in $one, $(stat -c %s "$other") in $other"
  cmp -l "$one" "$other" >differences 2>/dev/null || :
  echo "$(wc -l <differences) bytes differ in the part that both have; the first, with what surrounds them:"
  head -n 3 differences | while read -r byte _; do
    start=$(((byte - 1) / 16 * 16))
    for file in "$one" "$other"; do hexdump -C -s "$start" -n 32 "$file" | head -n 2; done
  done
done
[ -z "$failed" ]
