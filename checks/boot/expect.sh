# For the cases of a check: what a command has to do. A case that fails ends the check.

# expect STATUS COMMAND...: the command ends with this status. What it writes is in the files out and err.
expect() {
	wanted=$1
	shift
	status=0
	"$@" >out 2>err || status=$?
	[ $status = "$wanted" ] || { echo "status $status, and not $wanted: $*"; cat out err; exit 1; }
}
# says FILE TEXT: the file is this text.
says() {
	[ "$(cat "$1")" = "$2" ] || { echo "$1 is not \"$2\":"; cat out err; exit 1; }
}
