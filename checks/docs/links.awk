# Of the documents in the current directory, which paths to something in the repository they link to, a line DOCUMENT PATH for each.
# Fails, and says where, if one is not in the file `there`, or names a heading that its document does not have.

BEGIN { while ((getline path <there) > 0) exists[path] = 1 }

FNR == 1 { block = 0; documents[FILENAME] = 1 }
/^ *```/ { block = !block; next }
block { next }
/^#+ / { headings[FILENAME "#" anchor($0)] = 1 }
{
  # `[...](TARGET)` in code is not a link.
  gsub(/`[^`]*`/, "")
  line = $0
  while (match(line, /\]\([^)]*\)/)) { follow(substr(line, RSTART + 2, RLENGTH - 3)); line = substr(line, RSTART + RLENGTH) }
  if (match($0, /^\[[^]]*\]: /)) follow(substr($0, RLENGTH + 1))
}

function follow(target,   at) {
  if (target ~ /^https?:/) return
  at = FILENAME ":" FNR ": " target
  sub(/#.*/, "", target)
  target = target == "" ? FILENAME : resolved(FILENAME, target)
  print FILENAME, target
  linked[FILENAME, target] = 1
  if (!(target in exists)) wrong(at ": there is no " target)
  else if (at ~ /#/) { wanted[at] = at; sub(/.*#/, target "#", wanted[at]) }
}

# `path` as seen from the directory of `document`.
function resolved(document, path) {
  if (!sub(/\/[^\/]*$/, "/", document)) document = ""
  path = document path
  while (sub(/[^\/]+\/\.\.\//, "", path)) {}
  sub(/\/$/, "", path)
  return path
}

# What a forge calls a heading in links.
function anchor(heading) {
  sub(/^#+ /, "", heading)
  heading = tolower(heading)
  gsub(/[^a-z0-9 _-]/, "", heading)
  gsub(/ /, "-", heading)
  return heading
}

function wrong(what) { print what >"/dev/stderr"; failed = 1 }

END {
  for (at in wanted) if (!(wanted[at] in headings)) wrong(at ": there is no such heading")
  for (document in documents) if (document ~ /^docs\// && !(("README.md", document) in linked)) wrong("README.md: does not lead to " document)
  exit failed
}
