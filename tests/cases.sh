# What the tests outside Nix's sandbox have in common: Nix's settings, a scratch directory, and cases that are begun, judged, ended
# and counted. For a script that sources it with $repository set, defines `prepare` (what is done before each case), leaves what a
# case says in $log and its exit status in $status, and ends with `summary NAME`.

# Root builds as itself, in the sandbox or not at all, and asks no cache.
NIX_CONFIG="extra-experimental-features = nix-command flakes
build-users-group =
sandbox = true
sandbox-fallback = false
substituters =
warn-dirty = false"
export NIX_CONFIG

# Both become parts of addresses. Nix 2.8 knows no way to write a blank there.
case $repository in *[!A-Za-z0-9/._~+=,:@-]*) echo "$0: Nix 2.8 reads no flake in $repository; move it to a path without blanks"; exit 2 ;; esac
case ${TMPDIR-} in *[!A-Za-z0-9/._~+=,:@-]*) export TMPDIR=/tmp ;; esac
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
log=$scratch/log
failures=0 passes=0

begin() { name=$1 good=true; : >"$log"; prepare; }
end() {
  if $good; then passes=$((passes + 1)); echo "ok: $name"; else failures=$((failures + 1)); sed 's/^/  | /' "$log"; fi
}
wrong() { good=false; echo "FAILED: $name: $*"; }

exits() { [ "$status" = "$1" ] || wrong "exit status $status, not $1"; }
says() { grep -qF -- "$1" "$log" || wrong "does not say: $1"; }
says_not() { ! grep -qF -- "$1" "$log" || wrong "says: $1"; }

# copy_repository DIRECTORY: the repository as it is now, as another, in which all is committed. in_copy: git there.
copy_repository() {
  copy=$1
  mkdir "$copy"
  git -C "$repository" ls-files -z | (cd "$repository" && xargs -0 cp --parents -t "$copy")
  in_copy init -q
  in_copy add -A
  in_copy commit -qm test
}
in_copy() { git -C "$copy" -c user.name=test -c user.email=test "$@"; }

summary() {
  echo "$1: $passes passed, $failures failed"
  [ "$failures" = 0 ]
}
