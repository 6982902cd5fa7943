# Writes a line `NAME HASH`, sorted, for each tree in .attrs.json to $1. (The keys of an object are sorted in there: narHash comes
# before path.)
tr '{' '\n' <.attrs.json |
  sed -n 's/.*"narHash":"\([^"]*\)".*"path":"[^"]*\/[0-9a-z]\{32\}-\([^"]*\)".*/\2 \1/p' | sort >"$1"
[ -s "$1" ]
