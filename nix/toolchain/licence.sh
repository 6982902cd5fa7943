# NAME DEB: writes the package's line of the table of licences to NAME.licence:
#
#   NAME: A, B      the short names in a copyright file that a machine can read (DEP 5)
#   NAME: common A  one for people; of the licences that all Debian systems have the text of, it refers to these
#   NAME: text      one for people that refers to none: its text is the licence
#   NAME: as OTHER  the copyright file is another package's

name=$1
mkdir "$name"
ar p "$2" data.tar.xz | xz -dc | tar -x -C "$name" ./usr/share/doc
doc=$name/usr/share/doc/$name
joined() { sort -u | tr '\n' ',' | sed 's/,$//; s/,/, /g'; }

if [ -L "$doc" ]; then
  licences="as $(basename "$(readlink "$doc")")"
elif head -n 5 "$doc/copyright" | grep -qi '^Format:.*copyright-format'; then
  licences=$(sed -n 's/^License: *\(.\)/\1/p' "$doc/copyright" | joined)
else
  licences=$(grep -o 'common-licenses/[A-Za-z0-9.-]*[A-Za-z0-9]' "$doc/copyright" | sed 's#.*/##' | joined)
  licences=${licences:+common $licences}
fi
echo "$name: ${licences:-text}" >"$name.licence"
