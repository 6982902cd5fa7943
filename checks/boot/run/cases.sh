# Cases for `boot run`. Needs `run` in PATH, BOOT_TARGET, and its kernel as KERNEL.

# shellcheck source=checks/boot/expect.sh
. "$expect"

case $BOOT_TARGET in
um) statuses=$(seq 0 255) signals="1 2 4 6 7 8 9 10 11 12 13 14 15 24 25 31 34 64" times=200 ;;
*) statuses="0 1 2 7 124 125 126 127 128 255" signals="2 9 11 15" times=10 ;;
esac

echo "statuses"
for status in $statuses; do expect "$status" run -- sh -c "exit $status"; done
echo "signals"
# (busybox's sh ignores SIGQUIT.)
for signal in $signals; do expect $((128 + signal)) run -- sh -c "kill -$signal \$\$"; done

echo "streams"
expect 7 run -- sh -c 'echo out; echo err >&2; exit 7'
says out out
says err err
head -c 67108864 /dev/urandom >data
expect 0 run -- cat <data
cmp data out
sum=$(sha256sum <data)
for mode in "" --pack; do
	# shellcheck disable=SC2086 # Without --pack, there is no argument.
	expect 0 run $mode -- sha256sum <data
	says out "$sum"
done
# A reader that is slow, one that closes its stdin, and one that ends.
expect 0 run -- sh -c 'dd bs=1000 count=1000 2>/dev/null; sleep 1; dd bs=1 count=1 2>/dev/null; sleep 1; cat' <data
cmp data out
expect 0 run -- sh -c 'head -c 3; exec </dev/null; sleep 1; echo end' <data
[ "$(tail -c 4 out)" = end ]
expect 7 sh -c 'cat data data | run -- sh -c "head -c 70000000 | wc -c; exit 7"'
says out 70000000
expect 0 run --user 1 --memory 64 -- sha256sum <data
says out "$sum"
# Many small pieces, and pieces of all sizes.
# shellcheck disable=SC2016 # the inner shell's
expect 0 sh -c 'for byte in $(seq 20000); do echo x; done | run -- wc -c'
says out 40000
# shellcheck disable=SC2016 # the inner shell's
expect 0 sh -c 'for size in $(seq 1 97 20000); do head -c $size data; done >pieces
	for size in $(seq 1 97 20000); do head -c $size data; done | run -- cat'
cmp pieces out
# Nothing is left, even if boot is killed.
run -- sh -c 'head -c 100000; sleep 100' <data >out 2>err &
until [ "$(wc -c <out)" = 100000 ]; do sleep 0.1; done
kill -9 $!
[ -z "$(ls /dev/shm)" ]
expect 0 sh -c 'run -- cat </dev/null'
says out ""
expect 0 sh -c 'run -- sh -c "cat; echo end" <&-'
says out end
expect 0 sh -c 'run -- yes | head -n 2'
says out "y
y"
expect 0 run -- cat data
cmp data out
# Many megabytes through both outputs, of which one is read late.
expect 0 sh -c 'run -- sh -c "head -c 5000000 /dev/zero >&2; head -c 5000000 /dev/zero" 2>late | wc -c'
says out 5000000
[ "$(wc -c <late)" = 5000000 ]

echo "nothing is lost at the end"
time=0
while [ $time -lt $times ]; do
	expect 137 run -- sh -c 'head -c 100000 /dev/zero; kill -9 $$'
	[ "$(wc -c <out)" = 100000 ]
	time=$((time + 1))
done

echo "surroundings"
# shellcheck disable=SC2016 # The guest's shell expands these.
A="a b" expect 0 run --env B=c --env PWD -- sh -c 'echo "$A,$B,$(pwd)"; id -u; ls -d /proc/self /sys/kernel /dev/null /dev/fd/0'
says out "a b,c,$PWD
0
/dev/fd/0
/dev/null
/proc/self
/sys/kernel"
expect 0 run --cwd / -- pwd
says out /
expect 0 run --user 1:2 -- sh -c 'id -u; id -g'
says out "1
2"
expect 0 run --user 1000 -- sh -c 'echo x >/dev/stdout'
says out x
# More than a window of the channel has room for.
long=$(head -c 60000 /dev/zero | tr '\0' x)
# shellcheck disable=SC2016
LONG=$long expect 0 run -- sh -c 'echo ${#LONG}; cat' </dev/null
says out 60000
expect 0 run -- sh -c 'echo x >/dev/shm/x; cat /dev/shm/x /sys/class/net/lo/flags'
# IFF_UP and IFF_LOOPBACK
says out "x
0x9"

echo "network"
case $BOOT_TARGET in
um)
	expect 252 run --net -- true
	says err "boot: --net: um has no network; take QEMU, with --target x86_64"
	;;
*)
	echo hello | nc -l -p 18765 127.0.0.1 >/dev/null &
	sleep 1
	expect 0 run --net -- nc 10.0.2.2 18765 </dev/null
	says out hello
	# shellcheck disable=SC2016 # The guest's shell expands this.
	expect 0 run --net --pack -- sh -c 'read -r line </etc/resolv.conf; echo "$line"'
	says out "nameserver 10.0.2.3"
	;;
esac

echo "files"
mkdir -p tree/directory shared
echo old >tree/directory/file
ln -s file tree/directory/link
find tree -exec ls -ld {} + >before
cat tree/directory/file >>before
expect 0 run -- sh -c 'cd tree && echo new >directory/file && rm directory/link && mkdir x && mv directory y && cat y/file'
says out new
find tree -exec ls -ld {} + >after
cat tree/directory/file >>after
cmp before after
expect 0 run --share shared:rw -- sh -c 'echo written >shared/file; mkdir shared/directory'
says shared/file written
[ -d shared/directory ]
expect 0 run --share tree:/new/place -- cat /new/place/directory/file
says out old
expect 1 run --share tree:/new/place -- sh -c 'echo x >/new/place/directory/file'
says tree/directory/file old

echo "packed"
expect 7 run --pack -- sh -c 'exit 7'
# A program with libraries.
expect 0 run -- strace -V
cp out unpacked
expect 0 run --pack -- strace -V
cmp unpacked out
# shellcheck disable=SC2016 # The packed script expands these.
printf '#!%s\necho "$0,$1,$(pwd)"\n' "$(which sh)" >script
chmod +x script
expect 0 run --pack -- ./script argument
says out "$PWD/script,argument,/"
expect 0 run --pack --file data -- cat "$PWD/data"
cmp data out
expect 0 run --pack --file script --cwd /new/place -- sh -c "pwd; $PWD/script x"
says out "/new/place
$PWD/script,x,/new/place"
# Nothing else of the host is there.
expect 0 run --pack -- ls /
says out "dev
init
nix
proc
root
sys
tmp"
expect 1 run --pack -- test -e "$PWD"
expect 1 run --pack -- grep -E "hostfs|9p|overlay" /proc/mounts
expect 0 run --pack --share shared:/mnt:rw -- sh -c 'echo packed >/mnt/packed'
says shared/packed packed
expect 0 run --pack --user 1:2 -- sh -c 'echo x >/tmp/x && id -u && ls -d /dev/pts /dev/shm /sys/kernel'
says out "1
/dev/pts
/dev/shm
/sys/kernel"
expect 127 run --pack -- no-such-program
grep -q "^boot: no-such-program: no program of this name is in PATH" err
expect 127 run --pack -- ./no-such-program
says err "boot: $PWD/no-such-program: does not exist; install it, or name another program"
expect 126 run --pack -- ./data
says err "boot: $PWD/data: is not executable; make it executable with \`chmod +x\`"
sed 's/libc[.]so[.]6/libx.so.6/' "$(which strace)" >without
chmod +x without
expect 252 run --pack -- ./without
grep -q "^boot: $PWD/without: needs the library libx.so.6" err
printf '#!/none/sh\n' >orphan
chmod +x orphan
expect 252 run --pack -- ./orphan
says err "boot: $PWD/orphan: needs the interpreter /none/sh, which does not exist; install it, or name another program"
expect 252 run --pack --file no-such-file -- true
grep -q "^boot: --file $PWD/no-such-file: No such file" err

echo "another kernel"
# The kernel tells the target.
expect 0 env -u BOOT_TARGET run --kernel "$KERNEL" --summary -- true
grep -q "^boot: $BOOT_TARGET ran the program in" err
expect 252 run --kernel "$KERNEL" --modules /none -- true
grep -q "/none: No such file" err
expect 252 run --kernel data -- true
grep -q "^boot: data: cannot use it as the kernel" err

echo "processes"
# shellcheck disable=SC2016 # The guest's shell expands it.
expect 0 run -- unshare -muinpUfr sh -c 'echo $$'
says out 1
expect 0 run -- sh -c '(sleep 100; echo late) & echo now'
says out now
# A signal reaches the program, and a second one ends the guest.
# Not the output of another case.
rm out
run -- sh -c 'trap "echo got; exit 3" TERM; echo ready; while :; do sleep 0.1; done' >out 2>err &
until grep -qs ready out; do sleep 0.1; done
kill -TERM $!
status=0
wait $! || status=$?
[ $status = 3 ]
says out "ready
got"
rm out
run -- sh -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done' >out 2>err &
until grep -qs ready out; do sleep 0.1; done
kill -TERM $!
sleep 0.5
kill -TERM $!
status=0
wait $! || status=$?
[ $status = 143 ]
says err "boot: the user ended the guest"

# One that comes before the guest can take it reaches the program, too.
for delay in 0.02 0.1 0.3; do
	run -- sleep 100 >out 2>err &
	sleep $delay
	kill -TERM $!
	status=0
	wait $! || status=$?
	[ $status = 143 ] || { echo "status $status after $delay s"; exit 1; }
done

echo "failures"
expect 252 sh -c 'run -- echo x >/dev/full'
says err "boot: cannot write the program's output to stdout: No space left on device (os error 28)"
expect 252 run --no-such-option -- true
expect 127 run -- no-such-program
says err "boot: no-such-program: there is no such program in the directories of PATH, or its interpreter is missing"
expect 126 run -- ./data
grep -q "the guest cannot execute ./data: Permission denied" err
# On a busy machine, QEMU takes more than a second until the program runs.
expect 251 run --timeout 5 -- sleep 100
says err "boot: the program did not end within the 5 s of --timeout"
expect 124 run --bisect --timeout 1 -- sleep 100
expect 251 run --stall 1 -- sh -c 'echo a; sleep 100'
says err "boot: the program wrote nothing for the 1 s of --stall"
expect 250 run --append rdinit=/none -- true
grep -q "^boot: the kernel found no init to run" err
expect 1 run --bisect --append rdinit=/none -- true
expect 250 run -- sh -c 'sleep 0.2; poweroff -f; sleep 100'
says err "boot: the guest was switched off before the program ended"
expect 252 run --share /no/such/directory -- true
grep -q "^boot: --share /no/such/directory: No such file" err
expect 252 run --memory x -- true
expect 252 run --guests /none -- true
expect 252 run --cwd /none -- true
grep -q "the guest cannot change to the directory /none" err
expect 5 run --report report.json -- sh -c 'exit 5'
grep -q '"kind": "exited"' report.json && grep -q '"status": 5' report.json && grep -q '"exit_code": 5' report.json
expect 251 run --report report.json --timeout 1 -- sleep 100
grep -q '"verdict": "timeout"' report.json && grep -q '"exit_code": 251' report.json
expect 252 run --report /none/report.json -- true
expect 0 run --summary -- true
grep -q "^boot: $BOOT_TARGET ran the program in" err

echo "PID 1"
for status in 0 1 7 126 250 255; do expect $status run --init -- sh -c "exit $status"; done
# shellcheck disable=SC2016 # The guest's shell expands these.
expect 3 run --init -- sh -c 'echo $$; cat /proc/1/comm; echo err >&2; cat; kill -9 $$; exit 3' </dev/null
says out "1
sh"
says err err
# A program of one instruction, ud2, which ends it with SIGILL.
{
	printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\76\0\1\0\0\0\170\0\100\0\0\0\0\0\100\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
	printf '\100\0\70\0\1\0\0\0\0\0\0\0\1\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0\0\0\100\0\0\0\0\0\0\0\100\0\0\0\0\0'
	printf '\172\0\0\0\0\0\0\0\172\0\0\0\0\0\0\0\0\20\0\0\0\0\0\0\17\13'
} >illegal
chmod +x illegal
expect 132 run --init -- ./illegal
expect 132 run --init --pack -- ./illegal
expect 0 run --init -- ./script argument
says out "./script,argument,$PWD"
expect 0 run --init --pack --env A=b -- ./script argument
says out "$PWD/script,argument,/"
for word in poweroff reboot halt; do
	expect 0 run --init --report report.json -- sh -c "echo $word; $word -f; sleep 100"
	says out $word
	grep -q '"kind": "switched-off"' report.json && grep -q '"exit_code": 0' report.json
done
# busybox's init, to its end.
mkdir inittab
echo "::sysinit:$(which echo) one
::once:$(which poweroff)
::shutdown:$(which echo) three" >inittab/inittab
expect 0 run --init --share inittab:/etc -- init
says out "one
three"
grep -q "Requesting system poweroff" err
# Nothing is lost at the panic, and the outputs are separate.
expect 9 sh -c 'run --init -- sh -c "head -c 3000000 /dev/zero; head -c 100000 /dev/zero >&2; exit 9" 2>late >data; exit $?'
[ "$(wc -c <data)" = 3000000 ] && [ "$(wc -c <late)" = 100000 ]
expect 9 sh -c 'set -o pipefail; run --init -- sh -c "head -c 3000000 /dev/zero; exit 9" | { sleep 1; wc -c; }'
says out 3000000
expect 141 sh -c 'set -o pipefail; run --init -- yes | head -n 1'
says out y
says err "boot: nobody reads the program's output any more"
expect 127 run --init -- no-such-program
expect 126 run --init -- ./data
grep -q "the guest cannot execute ./data: Permission denied" err
expect 252 run --init --user 1 -- true
grep -q "'--init' cannot be used with '--user" err
expect 251 run --init --timeout 1 -- sleep 100
expect 251 run --init --stall 1 -- sh -c 'echo a; sleep 100'
says out a
expect 250 run --init --append rdinit=/none -- true
grep -q "^boot: the kernel found no init to run" err
rm out
run --init -- sh -c 'trap "" TERM; echo ready; sleep 100' >out 2>err &
until grep -qs ready out; do sleep 0.1; done
kill -TERM $!
status=0
wait $! || status=$?
[ $status = 143 ]
# Every key reaches it.
# shellcheck disable=SC2016 # the inner shell's
for line in 1 2 3 4; do sleep 1; echo $line; done |
	script -qec 'run --init --timeout 60 -- sh -c "read -r a; read -r b; read -r c; read -r d; echo \"got \$a\$b\$c\$d\""' screen >/dev/null
grep -q "^got 1234" screen
script -qec 'stty rows 30 cols 100; run --init -- sh -c "test -t 0 && test -t 1 && test -t 2 && stty size"' screen </dev/null >/dev/null
grep -q "30 100" screen

echo "a terminal"
# Again and again: on a busy machine, boot may not read the first keys as keys yet.
(for _ in $(seq 60); do sleep 1; printf '\035\035\035'; done) | script -qec 'run -- sleep 100; echo "status $?"' screen >/dev/null
grep -q "^status 130" screen
script -qec 'run -- sh -c "stty raw; printf \"\\na\\nb\\n\""' screen </dev/null >/dev/null
grep -q '^a$' screen
script -qec 'stty rows 30 cols 100; run -- sh -c "test -t 0 && test -t 1 && test -t 2 && stty size"' screen </dev/null >/dev/null
# script(1) ends its input with a control character, which the terminal may echo before.
grep -q "30 100" screen

echo "all cases passed"
