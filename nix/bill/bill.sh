# Writes the bill of materials; default.nix says what the variables are. It finds the licences in the sources, and adds them to the
# components.

# licence KEY: reads names of licences, one in each line, and notes them for the component KEY, as in CycloneDX.
licence() {
  names=$(sort -u | sed '/^$/d; s/["\\]//g; s/.*/{"license":{"name":"&"}}/' | tr '\n' ',')
  [ -z "$names" ] || printf '%s\t"licenses":[%s]\n' "$1" "${names%,}" >>licences
}
# expression KEY EXPRESSION: notes an expression of SPDX.
expression() { printf '%s\t"licenses":[{"expression":"%s"}]\n' "$1" "$2" >>licences; }

printf %s "$own" >own
for manifest in "$crates"/*/Cargo.toml; do
  awk '/^\[/ { on = $0 == "[package]" }
    on && /^(name|version|license) = "/ { key = $1; gsub(/^[^"]*"|"$/, ""); value[key] = $0 }
    END { gsub("/", " OR ", value["license"]); print "crate/" value["name"] "/" value["version"] "\t" value["license"] }' "$manifest"
done >>own
while IFS="$(printf '\t')" read -r key text; do expression "$key" "$text"; done <own

# A package's copyright file has a line "License: NAME" for each licence, if it follows Debian's format. An older file names the texts in
# /usr/share/common-licenses. Where a package has no file, a link leads to the directory of another package.
mkdir documents
for package in $packages; do
  # (tar reads to the end all the same.)
  ar p "${package#*=}" data.tar.xz | tar -xJ -C documents ./usr/share/doc 2>/dev/null || :
done
for package in $packages; do
  name=${package%%=*}
  file=documents/usr/share/doc/$name/copyright
  [ -f "$file" ] || continue
  { sed -n 's/^License: *\([^ ].*\)/\1/p' "$file" | grep . || grep -oE 'common-licenses/[A-Za-z0-9.-]*[A-Za-z0-9]' "$file" | sed 's#.*/##'; } |
    licence "deb/$name"
done

awk -F '\t' 'FNR == NR { licences[$1] = $2; next }
  { print (count++ ? "," : "") "\n{" ($1 in licences ? licences[$1] "," : "") substr($2, 2) }' licences "$componentsPath" >list
{
  printf '%s,"components":[' "${head%\}}"
  cat list
  printf ']}\n'
} >"$out"
