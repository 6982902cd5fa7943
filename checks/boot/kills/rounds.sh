# rounds.sh NUMBER ROUNDS: one of the loops of checks/boot/kills.nix and um.nix. It starts boot and kills it, ROUNDS times, at random
# moments of the first $moments milliseconds. In every second round, boot has the options $options.
mkdir "$1"
cd "$1"
# boot and everything below it have this in their environment.
mark=kills_loop=$1
# Lists them in `processes`. grep's status does not tell: it is 2 when a process has ended meanwhile.
left() {
  grep -lz "^$mark\$" /proc/[0-9]*/environ >processes 2>/dev/null || :
  [ -s processes ]
}

# If a process could hide, this would prove nothing.
env "$mark" setsid sleep 1000 </dev/null >/dev/null 2>&1 &
sleep 1
left || { echo "a process that was left behind is not seen"; exit 1; }
kill $!
wait $! || :

# shellcheck disable=SC3028 # busybox's shell, which runs this, has RANDOM
RANDOM=$1
round=0
while [ "$round" -lt "$2" ]; do
  round=$((round + 1))
  more=
  [ $((round % 2)) = 0 ] || more=$options
  # Not SIGINT or SIGQUIT: a shell lets its background jobs ignore them, and boot respects that.
  case $((round % 8)) in 0 | 1 | 2 | 3) signal=KILL ;; 4 | 5) signal=TERM ;; *) signal=HUP ;; esac
  # shellcheck disable=SC2086 # words
  env "$mark" boot $more --settle 9 --report report.json </dev/null >log 2>&1 &
  boot=$!
  # shellcheck disable=SC3028
  moment=$((RANDOM % moments))
  sleep "$(printf 0.%03d $moment)"
  kill -$signal $boot || { echo "round $round: boot was gone after $moment ms:"; cat log; exit 1; }
  wait $boot || :
  waited=0
  while left; do
    waited=$((waited + 1))
    if [ $waited -gt 1000 ]; then
      echo "round $round: $signal after $moment ms left behind:"
      while read -r process; do tr '\0' ' ' <"${process%environ}cmdline"; echo; done <processes
      exit 1
    fi
    sleep 0.01
  done
  if [ $signal != KILL ] && ls -d .boot-* 2>/dev/null; then echo "round $round: $signal after $moment ms left that file"; exit 1; fi
  rm -f .boot-*
done
echo "$round rounds"
