# Cases for `boot run` with a guest of another architecture. Needs `run` and the target's gcc in PATH, and the variables of foreign.nix.

# shellcheck source=checks/boot/broken/make.sh
. "$make"
# shellcheck source=checks/boot/expect.sh
. "$expect"
# program NAME BODY: compiles a program from the body of its main function.
program() {
	compile "$2"
	mv init "$1"
}

echo "ends"
program seven 'print("out"); call(WRITE, 2, (long)"err", 3, 0, 0); exit(7)'
expect 7 run --pack -- ./seven
says out out
says err err
program trap '__builtin_trap()'
status=0
run --pack -- ./trap >out 2>err || status=$?
# SIGILL or SIGTRAP.
[ $status = 132 ] || [ $status = 133 ] || { echo "status $status"; cat err; exit 1; }
expect 251 run --pack --stall 3 -- "$init/bin/init"
says out 'Hello, world!'

echo "streams"
program copy 'char b[4096]; long n; while ((n = call(READ, 0, (long)b, sizeof b, 0, 0)) > 0) call(WRITE, 1, (long)b, n, 0, 0); exit(0)'
head -c 3000000 /dev/urandom >data
expect 0 run --pack -- ./copy <data
cmp data out

# More virtio devices, before and after that of the channel.
mkdir shared
cp data shared/data
program reader 'char b[4096]; long n, file = call(56, -100, (long)"/mnt/data", 0, 0, 0); /* openat */
  while ((n = call(READ, file, (long)b, sizeof b, 0, 0)) > 0) call(WRITE, 1, (long)b, n, 0, 0); exit(0)'
expect 0 run --pack --net --share "$PWD/shared:/mnt" -- ./reader
cmp data out

echo "PID 1"
expect 7 run --init --pack -- ./seven
says out out
says err err
program off 'print("off"); reboot(POWER_OFF); exit(3)'
expect 0 run --init --pack -- ./off
says out off
program restart 'print("restart"); reboot(RESTART); exit(3)'
expect 0 run --init --pack -- ./restart
says out restart

echo "what cannot run"
expect 252 run -- ./seven
grep -q "add --pack" err
expect 252 run --pack -- sh
grep -q "is for x86_64 with 64 bits, and the target is" err
expect 127 run --pack -- ./no-such-program

echo "all cases passed"
