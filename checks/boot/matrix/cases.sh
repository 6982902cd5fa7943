# Cases for `boot matrix`. Needs `matrix` in PATH, and matrix.toml here.

# shellcheck source=checks/boot/expect.sh
. "$expect"
# has FILE TEXT: the file has a line with this text.
has() { grep -qF -e "$2" "$1" || { echo "$1 does not have: $2"; cat "$1" err; exit 1; }; }
# row CELL RESULT STATUS: the table has this row. CELL is MACHINE MEMORY COMMAND.
row() {
	tr -s ' ' <out | sed -E 's/ [0-9]+[.][0-9]+ / /' >rows
	[ "$(grep -F "$1 " rows)" = "$1 $2 $3" ] || { echo "the row of $1 is not: $2 $3"; cat out err; exit 1; }
}
# guests: the processes of boot and its guests.
guests() {
	for process in /proc/[0-9]*; do
		case $(readlink "$process/exe" || :) in
		*qemu-system-* | */boot | *linux) tr '\0' ' ' <"$process/cmdline"; echo ;;
		esac
	done
}
# gone: none is left.
gone() {
	left=$(guests)
	[ -z "$left" ] || { echo "left: $left"; exit 1; }
}

echo "all ends"
mkdir state
expect 1 matrix matrix.toml --jobs 2 --retries 1 --logs logs --json out.json --junit out.xml
cat out
for machine in um x86_64; do
	for memory in small large; do
		row "$machine $memory passes" passed "exit status 0"
		row "$machine $memory fails" failed "exit status 7 (2 runs)"
		row "$machine $memory wanted" passed "exit status 7"
		row "$machine $memory missing" failed "no such program (2 runs)"
		row "$machine $memory untried" error "could not be tried (2 runs)"
		[ "$(cat logs/$machine,$memory,passes/stdout)" = "$machine $memory" ]
		[ "$(cat logs/$machine,$memory,passes/stderr)" = err ]
	done
	row "$machine small tests" failed "exit status 0; 2 of 3 tests failed (2 runs)"
	row "$machine small kernel-tests" failed "exit status 0; 1 of 2 tests failed (2 runs)"
	row "$machine small dies" failed "the guest failed (2 runs)"
	row "$machine small panics" failed "the guest failed (2 runs)"
	row "$machine small slow" failed "time ran out (2 runs)"
	# The kernel's own log.
	has logs/$machine,small,panics/console "Kernel panic"
	has logs/$machine,small,panics/rerun-1/console "Kernel panic"
done
row "um small flaky" flaky "exit status 0 in run 2; before: exit status 3"
row "um large flaky" flaky "exit status 0 in run 2; before: exit status 3"
has out "cells: 8 passed, 2 flaky, 18 failed, 4 error in "
has err "  | boot: the guest was switched off before the program ended"
has err "  | not ok: suite.two"
gone

echo "files"
has out.json '"flaky": 2'
has out.json '"name": "um,small,tests"'
has out.json '"message": "3 tests were planned, and 2 ran"'
has out.xml '<testsuite name="x86_64,small,kernel-tests" tests="2" failures="1" errors="0" skipped="0"'
has out.xml '<testcase name="suite.two" classname="x86_64,small,kernel-tests">'
has out.xml '<failure message="the guest failed" type="failure">boot: the guest was switched off before the program ended</failure>'
has out.xml '<error message="could not be tried" type="error">'
[ "$(grep -c '<flakyFailure message="exit status 3"' out.xml)" = 2 ]
[ "$(grep -c '<rerunError ' out.xml)" = 4 ]
# Each element is closed.
sed 's/>/>\n/g' out.xml | awk '
	/<\/[a-z]/ { closed++ }
	/<[a-zA-Z-]+( [^>]*)?>$/ && !/\/>$/ { opened++ }
	END { exit opened == 0 || opened != closed }'

echo "only good cells"
expect 0 matrix matrix.toml --filter passes
has out "cells: 4 passed, 0 failed in "
expect 125 matrix matrix.toml --filter um,small,untried
expect 1 matrix matrix.toml --filter um,small,fails

echo "a signal"
matrix matrix.toml --jobs 2 --filter slow --filter small --list >list
has list "um,small,slow  run --target=um --memory=128 --env=MACHINE=um --env=MEMORY=small --timeout=2 -- sleep 100"
sed -i 's/timeout = 2 /timeout = 600 /' matrix.toml
for signal in TERM HUP KILL; do
	matrix matrix.toml --jobs 2 --filter slow --logs slow >out 2>err &
	until guests | grep -q linux && guests | grep -q qemu; do sleep 0.1; done
	[ $signal = HUP ] || sleep 1
	kill -$signal $!
	status=0
	wait $! || status=$?
	case $signal in
	KILL) [ $status = 137 ]; sleep 2 ;;
	*)
		[ $status = 143 ] || [ $status = 129 ]
		has out "cells: 0 passed, 0 failed, 2 not run in "
		;;
	esac
	gone
	rm -r slow
done

echo "bad input"
expect 125 matrix none.toml
has err "none.toml: cannot read the matrix (name another FILE): No such file or directory"
echo 'commands.a = { program = ["true"], memry = 1 }' >bad.toml
expect 125 matrix bad.toml
has err "bad.toml: line 1, column 36: unknown field \`memry\`, expected one of \`target\`, "
expect 125 matrix matrix.toml --junit none/out.xml
has err "none/out.xml: cannot write the junit"
expect 2 matrix matrix.toml --jobs 0

echo "all cases passed"
