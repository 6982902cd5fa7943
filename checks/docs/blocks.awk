# The fenced blocks of a document: writes the commands of those that are to be run into files NAME-LINE.sh in directory `out`, and what
# a document says that they print beside it, into NAME-LINE.shown; prints why the others are not run, and fails where a block does not
# say what it is.

function wrong(what) { print FILENAME ":" FNR ": " what; failed = 1 }

!block && /^<!-- not run: .*[a-z].* -->$/ { reason = $0; next }
!block && /^<!-- printed -->$/ { printed = 1; next }
!block && /^ *```/ {
  block = FNR
  info = $0; sub(/^ *```/, "", info)
  file = ""
  if (printed && info != "text") wrong("what is printed must be text")
  else if (printed && !script) wrong("nothing was run that could have printed it")
  else if (printed) { file = script; sub(/sh$/, "shown", file) }
  else if (info == "sh" && !reason) file = script = sprintf("%s/%s-%04d.sh", out, name, FNR)
  else if (info == "sh") { print FILENAME ":" FNR ": " reason; script = "" }
  else if (reason) wrong("what is not run must be sh")
  else if (info !~ /^(text|json|yaml|nix|toml|rust|c|mermaid)$/) wrong("a block of `" info "`: sh? text?")
  reason = printed = ""
  next
}
!block && (reason || printed) { wrong("no block after <!-- not run --> or <!-- printed -->"); reason = printed = "" }
block && /^ *```$/ { block = 0; next }
block && file { print >file }
END {
  if (block) wrong("the block of line " block " has no end")
  exit failed
}
