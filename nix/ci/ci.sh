#!/bin/sh
# ci [--set ATTRIBUTE]... [--test NAME=COMMAND]... [--junit FILE] [FLAKE]: builds all checks of FLAKE, by default the one in the current
# directory, and then runs each COMMAND, a word of the shell. Ends with a table of the results and the line `checks: N passed, M failed`.
#
#   --set    an attribute with more checks, such as legacyPackages.x86_64-linux.nightly
#   --test   a program beside the checks; it passes if its exit status is 0
#   --junit  the file for the results as JUnit's XML
#
# On GitHub, it also writes an annotation for each failure, and the table into the job's summary. CI_NIX is the command for Nix, of one word.
set -u

nix=${CI_NIX-nix --extra-experimental-features nix-command --extra-experimental-features flakes}
shown=${CI_NIX-nix}
unset CI_NIX # of no concern to the tests
# The last lines of a log that a report has.
log_lines=50
usage() { echo "usage: ci [--set ATTRIBUTE]... [--test NAME=COMMAND]... [--junit FILE] [FLAKE]" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
exec </dev/null
flake='' junit=''
for list in sets tests times outcomes; do : >"$work/$list"; done
while [ $# != 0 ]; do
  case $1 in
    --set | --test | --junit) [ $# != 1 ] || usage ;;
    -*) usage ;;
    *) [ -z "$flake" ] || usage; flake=$1; shift; continue ;;
  esac
  case $1 in
    --set) echo "$2" >>"$work/sets" ;;
    --test) case $2 in ?*=?*) echo "$2" >>"$work/tests" ;; *) usage ;; esac ;;
    --junit) junit=$2; : >"$junit" || exit 2 ;;
  esac
  shift 2
done
flake=${flake:-.}

# outcome CHECK passed|failed SECONDS|cached|- [LOG]: notes a result; LOG is the file with what a failed check has written.
outcome() {
  number=$(($(wc -l <"$work/outcomes") + 1))
  [ "$2" = passed ] || tail -n "$log_lines" "${4:-/dev/null}" >"$work/log.$number" 2>/dev/null || :
  echo "$1 $2 $3" >>"$work/outcomes"
}

# Passes on Nix's output, and records the times at which builds begin and fail.
note_times() {
  while IFS= read -r line; do
    case $line in
      "evaluating "* | "using revision "*) continue ;; # --verbose prints these, too
      "building '"* | *error:*) echo "$(date +%s) $line" >>"$work/times" ;;
    esac
    printf '%s\n' "$line"
  done
}
# time_of START PART: the time of the first line that begins with START and contains PART.
time_of() { grep -F "$2" "$work/times" | sed -n "s/^\([0-9]*\) $1.*/\1/p" | head -n 1; }
# The time at which store path $1 was registered.
registered() { $nix path-info --json "$1" 2>/dev/null | sed -n 's/.*"registrationTime":\([0-9]*\).*/\1/p'; }

# `nix flake check` in two steps. The second adds each result to the store, even if a builder or a cache has it.
started=$(date +%s)
if $nix flake check --no-build "$flake" 2>"$work/evaluation"; then result=passed; else result=failed; fi
cat "$work/evaluation" >&2
outcome flake "$result" $(($(date +%s) - started)) "$work/evaluation"

system=$($nix eval --raw --impure --expr builtins.currentSystem) || exit 2
for set in "checks.$system" $(cat "$work/sets"); do
  # shellcheck disable=SC2016 # Nix, not shell
  $nix eval --raw "$flake#$set" --apply 'checks: builtins.concatStringsSep "" (map
    (name: "${name} ${checks.${name}.drvPath} ${checks.${name}}\n") (builtins.attrNames checks))' >"$work/set" 2>"$work/evaluation" || {
    cat "$work/evaluation" >&2
    outcome "$set" failed - "$work/evaluation"
  }
  while read -r check drv out; do echo "$check $drv $out $flake#$set.$check"; done <"$work/set"
done >"$work/checks"

# shellcheck disable=SC2086 # a command with its options
sed 's/.* //' "$work/checks" | xargs -r $nix build --no-link --print-build-logs --verbose --keep-going 2>&1 | note_times
while read -r check drv out installable; do
  begun=$(time_of building "$drv")
  if nix-store --check-validity "$out" 2>/dev/null; then
    result=passed ended=$(registered "$out") seconds=cached
  else
    result=failed ended=$(time_of '.*error:' "$drv") seconds=-
    [ -z "$begun" ] || echo "check $check failed; its log: $shown log $installable"
    nix-store --read-log "$drv" >"$work/log" 2>/dev/null || echo "$check was not built, because one of its inputs failed" >"$work/log"
  fi
  # If the build of the check did not begin, its result was there already, or one of its inputs failed.
  [ -z "$begun" ] || seconds=$((${ended:-$begun} - begun))
  outcome "$check" $result "$seconds" "$work/log"
done <"$work/checks"

while IFS='=' read -r name command; do
  started=$(date +%s)
  # The status of the command, and not tee's.
  { sh -c "$command" 2>&1; echo $? >"$work/status"; } | tee "$work/log"
  [ "$(cat "$work/status")" = 0 ] && result=passed || result=failed
  outcome "$name" $result $(($(date +%s) - started)) "$work/log"
done <"$work/tests"

passed=$(grep -c ' passed ' "$work/outcomes")
failed=$(grep -c ' failed ' "$work/outcomes")

# Text for XML: without the characters that it forbids.
xml() { tr -d '\000-\010\013\014\016-\037' | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g'; }
# cases FUNCTION: calls FUNCTION with the number, the name, the result and the seconds of each check.
cases() {
  number=0
  while read -r name result seconds; do
    number=$((number + 1))
    "$1" $number "$name" "$result" "$seconds"
  done <"$work/outcomes"
}
junit_case() {
  case $4 in cached | -) time=0 ;; *) time=$4 ;; esac
  printf '  <testcase name="%s" time="%s"' "$(echo "$2" | xml)" "$time"
  [ "$3" = failed ] || { echo '/>'; return; }
  printf '><failure message="%s failed">' "$(echo "$2" | xml)"
  xml <"$work/log.$1"
  echo '</failure></testcase>'
}
# An annotation is one line.
github_case() {
  [ "$3" = failed ] || return 0
  text=$(sed 's/%/%25/g; s/\r//g' "$work/log.$1" | awk '{ printf "%s%%0A", $0 }')
  echo "::error title=check $2 failed::$text"
}
table_row() { printf '%-16s %-8s %7s\n' "$2" "$3" "$4"; }
summary_row() { echo "| $2 | $3 | $4 |"; }

if [ -n "$junit" ]; then
  {
    echo '<?xml version="1.0" encoding="UTF-8"?>'
    echo "<testsuite name=\"$(echo "$flake" | xml)\" tests=\"$((passed + failed))\" failures=\"$failed\">"
    cases junit_case
    echo '</testsuite>'
  } >"$junit"
fi
if [ "${GITHUB_ACTIONS-}" = true ]; then
  cases github_case
  { echo '| check | result | seconds |'; echo '| --- | --- | --- |'; cases summary_row; } >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
fi
printf '\n%-16s %-8s %7s\n' check result seconds
cases table_row
echo
echo "checks: $passed passed, $failed failed"
[ "$failed" = 0 ]
