# Lines CRATE<tab>LICENCE, an SPDX expression: prints those that need a licence which is not in `accepted`, a list with one in a
# line, and fails if there are any.

BEGIN {
  FS = "\t"
  count = split(accepted, list, "\n")
  for (i = 1; i <= count; i++) good[word(list[i])]
}

# WITH binds most: a licence with its exception is one word.
function word(licence) { gsub(/ WITH /, "-WITH-", licence); return licence }

# Of ones and zeros joined by AND and OR, the value.
function flat(expression,    parts, i, n) {
  n = split(expression, parts, "OR")
  for (i = 1; i <= n; i++) if (parts[i] !~ /0/) return 1
  return 0
}

function fine(expression,    words, i, n, bits) {
  gsub("/", " OR ", expression) # as it was written once
  gsub(/[()]/, " & ", expression)
  n = split(word(expression), words, " ")
  for (i = 1; i <= n; i++) bits = bits (words[i] ~ /^(AND|OR|\(|\))$/ ? words[i] : (words[i] in good) + 0)
  while (match(bits, /\([^()]*\)/))
    bits = substr(bits, 1, RSTART - 1) flat(substr(bits, RSTART + 1, RLENGTH - 2)) substr(bits, RSTART + RLENGTH)
  return n > 0 && flat(bits)
}

!fine($2) { print "licence not accepted: " $1 ": " $2; failed = 1 }
END { exit failed }
