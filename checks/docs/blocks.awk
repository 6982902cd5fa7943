# The fenced blocks of a document: writes the commands of those that are to be run into files NAME-LINE.sh in directory `out`, prints
# why the others are not, and fails where a block does not say what it is.

function wrong(what) { print FILENAME ":" FNR ": " what; failed = 1 }

!block && /^<!-- not run: .*[a-z].* -->$/ { reason = $0; next }
!block && /^ *```/ {
  block = FNR
  info = $0; sub(/^ *```/, "", info)
  file = ""
  if (info == "sh" && !reason) file = sprintf("%s/%s-%04d.sh", out, name, FNR)
  else if (info == "sh") print FILENAME ":" FNR ": " reason
  else if (reason) wrong("what is not run must be sh")
  else if (info !~ /^(text|json|yaml|nix|toml|rust|c)$/) wrong("a block of `" info "`: sh? text?")
  reason = ""
  next
}
!block && reason { wrong("<!-- not run --> without a block after it"); reason = "" }
block && /^ *```$/ { block = 0; next }
block && file { print >file }
END {
  if (block) wrong("the block of line " block " has no end")
  exit failed
}
