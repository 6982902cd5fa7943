# What stands in backquotes in column `column` of the table below `heading`, a line each.

BEGIN { FS = "|" }
/^#/ { inside = $0 == heading; next }
inside && /^[|]/ {
  cell = $(column + 1)
  while (match(cell, /`[^`]*`/)) {
    print substr(cell, RSTART + 1, RLENGTH - 2)
    cell = substr(cell, RSTART + RLENGTH)
  }
}
