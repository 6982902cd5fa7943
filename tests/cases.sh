# What the tests outside Nix's sandbox share: settings for Nix, a scratch directory, and functions that begin, judge, end and count cases.
#
# A script sets $repository, sources this file, and defines `prepare`, which runs before each case. It writes the output of a case to
# $log and its exit status to $status, and it ends with `summary NAME`.

# Root builds as itself, always in the sandbox, and without a binary cache.
NIX_CONFIG="extra-experimental-features = nix-command flakes
build-users-group =
sandbox = true
sandbox-fallback = false
substituters =
warn-dirty = false"
export NIX_CONFIG

# Both become parts of URLs, and Nix 2.8 accepts no blanks there.
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

# copy_repository DIRECTORY: copies the working tree to DIRECTORY, and commits everything there. in_copy runs git there.
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
