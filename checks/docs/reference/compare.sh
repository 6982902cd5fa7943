# Compares the reference with what there is; reference.nix says what the variables are.

# compare WHERE: what it has, in `shown`, with what there is, in `there`.
compare() {
  sort -u shown >shown.sorted
  sort -u there >there.sorted
  [ -s there ]
  diff shown.sorted there.sorted || { echo "$1 has (-), there is (+)"; failed=true; }
}

# --- outputs ---

# A test outside the sandbox has the name of its script.
sed -n 's#^ *--test [a-z]*=tests/\([a-z]*\)[.]sh.*#ci.md|\#\# What a green run means|2|\1#p' "$ci" >scripts
grep -q . scripts
printf %s "$tables" | cat - scripts >all
cut -d '|' -f 1-3 all | sort -u >wanted
while IFS='|' read -r document heading column; do
  awk -v heading="$heading" -v column="$column" -f "$names" "$documents/docs/$document" >shown
  grep -F "$document|$heading|$column|" all | cut -d '|' -f 4 >there
  compare "docs/$document, $heading,"
  [ "$document" = reference.md ] || grep -qF "($document" "$documents/docs/reference.md" || { echo "docs/reference.md has no link to $document"; failed=true; }
done <wanted

# --- variables ---

grep -rhoE '(env = |var(_os)?\()"[A-Z_]+"' "$programs" | sed 's/.*"\(.*\)"/\1/' >there
# What a script in the Nix code takes from the caller, if that has set it.
grep -rhoE "''[\$]\{[A-Z_]+-" "$programs" | tr -dc 'A-Z_\n' >>there
sed -n 's/^#   \([A-Z_]\{1,\}\)  .*/\1/p' "$nixw" >>there
awk -v heading="## Environment" -v column=1 -f "$names" "$documents/docs/reference.md" >shown
compare "docs/reference.md, ## Environment,"

[ -z "$failed" ]
wc -l <there.sorted >"$out"
