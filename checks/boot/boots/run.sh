# One row of boots.nix: TARGET MACHINE KERNEL CPU MEMORY SMP INITRAMFS.
name="$*"
eval "$systems"
eval "boot=\$boot_$1 kernel=\$kernel_$1/$3"
log=$(echo "$name" | tr ' ' -).log
options="--kernel $kernel --memory $5 --initrd $1/$7"
[ "$2" = - ] || options="$options --accel tcg --machine $2 --cpu $4 --smp $6"
# A moment for whatever would go wrong after the line.
# shellcheck disable=SC2086 # words
"$boot" $options --settle 0.3 --timeout 120 \
  --log "$log" </dev/null >/dev/null 2>"$log.words" || failed=true
if [ -n "$failed" ] || ! sh -e "$cleanLog" "$log" >>"$log.words"; then
  echo "FAILED: $name"
  cat "$log" "$log.words" >&2
  exit 1
fi
echo "$name: $(tail -n 1 "$log.words")"
