# Which lines of a fragment count for this target and this version of Linux. A comment that begins with conditions in brackets,
#
#   # [x86_64] Without it ...
#   # [since 6.2] ...
#   # [aarch64, riscv64, before 6.16] ...
#
# is about the options after it, up to the next comment or empty line. They count on one of the targets, if it names some, and in
# the versions that it allows, if it names one. Lines that do not count become empty, so that line numbers stay what they are.
#
# Variables: target; targets, all there are; version, as 6.12.

function wrong(what) {
  print FILENAME ":" FNR ": " what | "cat >&2"
  failed = 1
}
# 6012 for 6.12.
function number(text,    part) {
  split(text, part, ".")
  return part[1] * 1000 + part[2]
}
function holds(conditions,    count, condition, i, named, here) {
  count = split(conditions, condition, /, */)
  for (i = 1; i <= count; i++) {
    if (condition[i] ~ /^since [0-9]+[.][0-9]+$/) {
      if (number(version) < number(substr(condition[i], 7))) return 0
    } else if (condition[i] ~ /^before [0-9]+[.][0-9]+$/) {
      if (number(version) >= number(substr(condition[i], 8))) return 0
    } else if (condition[i] != "" && index(" " targets " ", " " condition[i] " ")) {
      named = 1
      if (condition[i] == target) here = 1
    } else
      wrong("no condition `" condition[i] "`; there are `since 6.2`, `before 6.2`, and the targets " targets)
  }
  if (!count) wrong("no condition")
  return here || !named
}

FNR == 1 { counts = 1; comment = 0 }
/^# CONFIG_[A-Za-z0-9_]+ is not set/ || /^[^#]/ {
  comment = 0
  print counts ? $0 : ""
  next
}
# A line of a comment, or an empty one.
{
  if (/^# \[/) {
    split($0, bracket, /[][]/)
    counts = holds(bracket[2])
  } else if (!comment)
    counts = 1
  comment = /^#/
  print
}
END { exit failed }
