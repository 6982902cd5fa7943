# shown.sh LINES LOG: fails, and says which, if one of the lines that a document shows is not in the log of what it has run. Numbers
# with a point in them, as times are, may be others, and `...` stands for anything.

tr -d '\r' <"$2" >"$2.clean"
while IFS= read -r line; do
  # As an extended regular expression.
  pattern=$(printf '%s\n' "$line" | sed 's/[][\.*^$+?(){}|]/\\&/g; s/[0-9]\{1,\}\\[.][0-9]\{1,\}/[0-9]+[.][0-9]+/g; s/\(\\[.]\)\{3\}/.*/g')
  grep -qxE -e "$pattern" "$2.clean" || { echo "it does not print: $line"; absent=true; }
done <"$1"
[ -z "$absent" ]
