# Draws what derivation `root`, a .drv file, is made from, as a block of Mermaid. On stdin, what is to be seen: lines KIND, LABEL, PATTERN,
# separated by tabs, in the order in which they are drawn.

BEGIN { FS = "\t" }

{
  if (!($2 in kind)) labels[++count] = $2
  kind[$2] = $1
  patterns[++rows] = $3 "$"
  meant[rows] = $2
}

END {
  read(root)
  for (path in seen) if (label(path) != "") connect(label(path), path)
  # An arrow from a to c is left out where one from a to b and others from there say so, too.
  for (a = 1; a <= count; a++) reach(labels[a])
  print "```mermaid"
  print "flowchart TD"
  for (a = 1; a <= count; a++) print "  " id(labels[a]) shape(labels[a])
  for (a = 1; a <= count; a++) for (b = 1; b <= count; b++)
    if ((labels[b], labels[a]) in arrow && !indirect(labels[b], labels[a])) print "  " id(labels[a]) " --> " id(labels[b])
  print "```"
  for (a = 1; a <= count; a++) if (!number[labels[a]]) { print "graph.awk: there is no " labels[a] >"/dev/stderr"; exit 1 }
}

# Sets children[path, n] to what a derivation is made from: other derivations and sources. Its file is one line,
# Derive([OUTPUTS],[("PATH.drv",["OUTPUT",...]),...],["SOURCE",...],"SYSTEM",...
function read(path,   text, drvs, sources, n, i, parts) {
  if (path in seen) return
  seen[path] = 1
  if (label(path) != "") number[label(path)]++
  if (path !~ /[.]drv$/) return
  if ((getline text <path) <= 0) { print "graph.awk: cannot read " path >"/dev/stderr"; exit 1 }
  close(path)
  sub(/^Derive\(\[[^]]*\],\[/, "", text)
  while (match(text, /^,?\("[^"]*",\[[^]]*\]\)/)) {
    drvs = substr(text, RSTART, RLENGTH)
    text = substr(text, RLENGTH + 1)
    split(drvs, parts, "\"")
    children[path, ++n] = parts[2]
  }
  match(text, /^\],\[[^]]*\]/)
  sources = split(substr(text, RSTART, RLENGTH), parts, "\"")
  for (i = 2; i <= sources; i += 2) children[path, ++n] = parts[i]
  for (i = 1; i <= n; i++) read(children[path, i])
}

function label(path,   row) {
  if (!(path in known)) {
    known[path] = ""
    for (row = 1; row <= rows && known[path] == ""; row++) if (path ~ patterns[row]) known[path] = meant[row]
  }
  return known[path]
}

# Arrows from `from` to what is shown next below `path`.
function connect(from, path,   i, child, to) {
  if ((from, path) in connected) return
  connected[from, path] = 1
  for (i = 1; (path, i) in children; i++) {
    child = children[path, i]
    to = label(child)
    if (to == "") connect(from, child)
    else if (to != from) arrow[from, to] = 1
  }
}

# Sets far[from, to] for all that can be reached from `from`.
function reach(from,   i, j) {
  if (from in reached) return
  reached[from] = 1
  for (i = 1; i <= count; i++) if ((from, labels[i]) in arrow) {
    reach(labels[i])
    far[from, labels[i]] = 1
    for (j = 1; j <= count; j++) if ((labels[i], labels[j]) in far) far[from, labels[j]] = 1
  }
}

function indirect(from, to,   i) {
  for (i = 1; i <= count; i++) if ((from, labels[i]) in arrow && (labels[i], to) in far) return 1
  return 0
}

function id(name) {
  gsub(/[^A-Za-z0-9]/, "_", name)
  sub(/^_*/, "", name)
  return name
}

function shape(name,   text) {
  text = name
  sub(/#/, number[name], text)
  if (kind[name] == "source") return "[(\"" text "\")]"
  if (kind[name] == "result") return "([\"" text "\"])"
  return "[\"" text "\"]"
}
