#!/bin/sh
# check-config.sh RESOLVED FRAGMENT...
#
# Says whether a resolved .config has everything that the fragments asked for. Kconfig drops, without a word, an option whose
# dependencies are not met, one that it does not know, and a value out of range: the kernel then builds, and lacks it.
#
# The fragments count in order, as they do for Kconfig: a later line about an option replaces an earlier one.
# `CONFIG_X=n` and `# CONFIG_X is not set` ask for the same: that RESOLVED does not have X. Kconfig leaves out of a .config what
# depends on something that is off, so a typo in such a line cannot be told. Values are compared as written, but a number may be
# 0x10 here and 16 there.
#
# Exit status: 0 everything is there; 1 something is not, with one line for each on standard error; 2 nothing was compared.
# Needs a POSIX sh and awk; busybox's do.
set -eu

if [ $# -lt 2 ]; then
	echo "usage: check-config.sh RESOLVED FRAGMENT..." >&2
	exit 2
fi
for file in "$@"; do
	if [ ! -f "$file" ] || [ ! -r "$file" ]; then
		echo "check-config.sh: $file: no such file, or not readable" >&2
		exit 2
	fi
done

# awk tells RESOLVED from the fragments by counting first lines: it must have one.
if [ ! -s "$1" ]; then
	echo "check-config.sh: $1: empty, so not a resolved .config" >&2
	exit 2
fi

# The files reach awk through ARGV, with "./" in front where awk would take the name for an assignment (a=b.config).
for file in "$@"; do
	shift
	case $file in
	/*) set -- "$@" "$file" ;;
	*) set -- "$@" "./$file" ;;
	esac
done

exec awk '
# The name of the option that a line sets, "" for a comment or an empty line. The value goes to `value`.
function parse(line,    equals, name) {
	sub(/\r$/, "", line)
	sub(/^[ \t]+/, "", line)
	sub(/[ \t]+$/, "", line)
	if (line ~ /^# CONFIG_[A-Za-z0-9_]+ is not set$/) {
		split(line, word, " ")
		value = "n"
		return word[2]
	}
	if (line == "" || line ~ /^#/)
		return ""
	equals = index(line, "=")
	name = substr(line, 1, equals - 1)
	if (equals == 0 || name !~ /^CONFIG_[A-Za-z0-9_]+$/) {
		printf "%s:%d: neither CONFIG_NAME=value nor a comment: %s\n", FILENAME, FNR, line | "cat >&2"
		malformed = 1
		return ""
	}
	value = substr(line, equals + 1)
	return name
}

# 16 for "16", "0x10", "0X10" and "-16" with its sign; the text itself for whatever is no number.
function canonical(text,    digits, sign, sum, i) {
	if (text ~ /^-?[0-9]+$/)
		return "number " (text + 0)
	if (text !~ /^0[xX][0-9a-fA-F]+$/)
		return text
	# Longer than a double can hold exactly: compare the digits.
	digits = tolower(substr(text, 3))
	sub(/^0+/, "", digits)
	if (length(digits) > 12)
		return "0x" digits
	for (i = 1; i <= length(digits); i++)
		sum = sum * 16 + index("0123456789abcdef", substr(digits, i, 1)) - 1
	return "number " (sum + 0)
}

FNR == 1 { file++ }

file == 1 {
	name = parse($0)
	if (name != "")
		resolved[name] = value
	next
}

{
	name = parse($0)
	if (name == "")
		next
	if (!(name in wanted))
		order[++count] = name
	wanted[name] = value
	where[name] = FILENAME ":" FNR
}

END {
	if (malformed)
		exit 2
	for (i = 1; i <= count; i++) {
		name = order[i]
		if (name in resolved)
			found = resolved[name]
		else
			found = "n"
		if (canonical(found) == canonical(wanted[name]))
			continue
		if (!missing++)
			print "The resolved kernel configuration is not what the fragments ask for:" | "cat >&2"
		if (name in resolved)
			explain = "found " found
		else
			explain = "found nothing: no such option, or one that depends on something that is off"
		printf "  %s: asked for %s=%s, %s\n", where[name], name, wanted[name], explain | "cat >&2"
	}
	exit missing > 0
}
' "$@"
