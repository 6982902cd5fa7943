# clean-log.sh LOG: whether a serial log has the line from PID 1 exactly once, and nothing that is wrong.
tr -d '\r' <"$1" >"$1.lines"
grep -q 'Run /init as init process' "$1.lines" || { echo "the kernel does not say that it runs /init"; exit 1; }
count=$(grep -cx 'Hello, world!' "$1.lines" || :)
[ "$count" = 1 ] || { echo "the line is there $count times"; exit 1; }
if grep -E 'Kernel panic|Oops|BUG:|WARNING:|Unable to mount|unpacking failed' "$1.lines"; then
  echo "the kernel says that"
  exit 1
fi
