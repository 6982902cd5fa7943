# The program under the supervisor: puts it to the test, and ends with status 7 if it passes.
# shellcheck disable=SC2317 # functions that are arguments

dmesg -n 1 # the kernel is not to interrupt

fail() { echo "FAILED: $*"; ps; exit 1; }
within_5_seconds() { for _ in $(seq 50); do ! "$@" || return 0; sleep 0.1; done; return 1; }

# Orphans: the shells that start them end first.
orphans=$(for _ in $(seq 20); do sh -c 'sleep 1 >/dev/null & echo $!'; done)
for pid in $orphans; do grep -qx "PPid:.1" "/proc/$pid/status" || fail "$pid is no child of PID 1"; done
gone() { for pid in $orphans; do [ ! -e "/proc/$pid" ] || return 1; done; }
within_5_seconds gone || fail "orphans are not reaped"
echo "reaped: $(echo "$orphans" | wc -l)"

# Signals to PID 1.
arrived() { [ "$last" = "$signal" ]; }
for signal in HUP INT QUIT USR1 USR2 PIPE ALRM TERM CONT TSTP WINCH; do
  # shellcheck disable=SC2064 # now
  trap "last=$signal" "$signal"
  kill "-$signal" 1
  within_5_seconds arrived || fail "SIG$signal is not passed on"
  echo "passed on: SIG$signal"
done

# What is left over: one that ends when it is asked to, and one that does not.
(trap 'echo "as you wish"; exit' TERM; : >/tame; while :; do sleep 0.1; done) &
(trap '' TERM; : >/wild; exec sleep 1000) &
ready() { [ -e /tame ] && [ -e /wild ]; }
within_5_seconds ready || fail "two processes do not start"
exit 7
