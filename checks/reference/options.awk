# What a program's --help says of its options, for each a line OPTION, DEFAULT, VARIABLE, separated by tabs. --help and --version, which
# all have, are left out.

# The option itself begins within the first columns, though not in the very first; what is further to the right tells about it.
/^  (    )?(-[A-Za-z], )?--[a-z]/ {
  finish()
  option = $0
  sub(/^ */, "", option)
  said = ""
  # Where the description is short, it begins in the same line.
  if (match(option, /   *[^ ]/)) { said = substr(option, RSTART); option = substr(option, 1, RSTART - 1) }
  gsub(/[<>]/, "", option)
  next
}
/^[^ ]/ { finish() }
option != "" { sub(/^ */, ""); said = said " " $0 }
END { finish() }

function finish() {
  if (option != "" && option !~ /--(help|version)$/) print option "\t" within("default") "\t" variable()
  option = ""
}

# Of [NAME: TEXT], TEXT.
function within(name,   rest) {
  if (!match(said, "\\[" name ": [^]]*\\]")) return ""
  rest = substr(said, RSTART + length(name) + 3, RLENGTH - length(name) - 4)
  return rest
}
function variable(   set) {
  set = within("env")
  sub(/=.*/, "", set)
  return set
}
