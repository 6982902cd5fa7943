# One row of checks/boots.nix: MACHINE KERNEL CPU MEMORY SMP INITRAMFS.
name="$*"
eval "kernel=\$$2"
log=$(echo "$name" | tr ' ' -).log
# A moment for whatever would go wrong after the line.
boot --accel tcg --machine "$1" --kernel "$kernel" --cpu "$3" --memory "$4" --smp "$5" --initrd "$6" --settle 0.3 --timeout 120 \
  --log "$log" </dev/null >/dev/null 2>"$log.words" || failed=true
if [ -n "$failed" ] || ! sh -e "$cleanLog" "$log" >>"$log.words"; then
  echo "FAILED: $name"
  cat "$log" "$log.words" >&2
  exit 1
fi
echo "$name: $(tail -n 1 "$log.words")"
