# Finds the sources that the store lacks or has damaged, and adds them to the store. A part of nixw.

store_name() { echo "$1" | cut -c 45-; } # of /nix/store/HASH-NAME

# Sets path, hash and from to those of the source of kind $1. Fails if the store has the source.
missing() {
  line=$(grep "^$1 " "$work/missing") && read -r _ path hash from _ <<LINE
$line
LINE
}

# Writes to $work/missing the lines of $work/sources whose paths the store lacks and the plan needs, or that are damaged ($work/damaged).
# Fails if there are none.
list_missing() {
  # shellcheck disable=SC2046 # one argument for each path
  nix-store --check-validity --print-invalid $(cut -d ' ' -f 2 "$work/sources") >"$work/invalid"
  if [ -n "${NIXW_REPAIR-}" ]; then other_hash; else other_size; fi >"$work/damaged"
  while read -r path; do say "$path is damaged, but Nix has not noticed; replacing it"; done <"$work/damaged"
  sed 's#^/nix/store/##' "$work/plan" "$work/damaged" >"$work/lacking"
  awk 'FILENAME == ARGV[1] { lacking[$0]; next } $6 in lacking || substr($2, 12) in lacking' "$work/lacking" "$work/sources" >"$work/missing"
  [ -s "$work/missing" ]
}

# Prints the sources that Nix takes for valid, but that have another size than the lock says, or do not exist. This takes no time, and
# finds files that were not written completely.
other_size() (
  cd "$prefix/nix/store" 2>/dev/null || exit 0
  awk '$1 == "file" { print $5, substr($2, 12) }' "$work/sources" >"$work/sizes"
  cut -d ' ' -f 2 "$work/sizes" | xargs stat -c '%s %n' >"$work/found" 2>/dev/null || :
  {
    awk 'FILENAME == ARGV[1] { found[$0]; next } !($0 in found) { print "/nix/store/" $2 }' "$work/found" "$work/sizes"
    awk '$1 != "file" { print $2 }' "$work/sources" | while read -r path; do [ -e "$prefix$path" ] || echo "$path"; done
  } >"$work/other"
  awk 'FILENAME == ARGV[1] { invalid[$0]; next } !($0 in invalid)' "$work/invalid" "$work/other"
)

# Prints the sources that Nix takes for valid, but that have another hash than Nix's database says.
other_hash() {
  awk 'FILENAME == ARGV[1] { invalid[$0]; next } !($2 in invalid) { print $2 }' "$work/invalid" "$work/sources" |
    xargs -n 1 nix-store --verify-path 2>&1 | sed -n 's#.*\(/nix/store/[0-9a-z]\{32\}-[^/'"'"'"]*\).*#\1#p'
}

# add PATH COMMAND...: runs COMMAND, which adds PATH to the store. If PATH is damaged, Nix would keep the damaged files. So COMMAND adds it
# to another store, and Nix repairs PATH from there. Only the owner of the store may do that. Others can delete a path that nothing
# refers to.
add() {
  added=$1
  shift
  if ! grep -qxF "$added" "$work/damaged"; then
    "$@" >/dev/null
  elif builds_here; then
    "$@" --option store "local?root=$(in_url "$work/good")" >/dev/null &&
      nix-store --quiet --repair-path "$added" --option substituters "local?root=$(in_url "$work/good")" --option require-sigs false >/dev/null
  else
    nix-store --quiet --delete "$added" >/dev/null || { say "$added: this user cannot replace it. Repeat this command as root"; return 1; }
    "$@" >/dev/null
  fi
}

# build NAME [OPTION...]: builds the derivation NAME of the plan's closure. If the build fails, compares the hashes of all sources, and names
# the damaged ones. $work/build.log has Nix's messages.
build() {
  drv=$(grep -m 1 -x "[^-]*-$1[.]drv" "$work/drvs") || return 0
  shift
  nix-store --realise "/nix/store/$drv" "$@" >/dev/null 2>"$work/build.log" && return 0
  other_hash >"$work/damaged"
  [ -s "$work/damaged" ] || return 1
  while read -r path; do say "$path is damaged, but Nix has not noticed"; done <"$work/damaged"
  die "set the variable NIXW_REPAIR to 1, and repeat this command: then nixw replaces the damaged files"
}

# Adds directory $1 to the store as $path, if its hash is $hash.
add_tree() {
  found=$(nix hash path --sri "$1")
  [ "$found" = "$hash" ] || die "$1: the lock names $hash, but this is $found, so nixw did not add it to the store${2-}"
  add "$path" nix-store --add-fixed --recursive sha256 "$1"
}

# Adds the first executable of all builds, from its package. (With the internet, Nix can do this itself.)
add_busybox() {
  deb=$prefix$from
  [ -e "$deb" ] || return 0
  mkdir "$work/package" "$work/busybox-static"
  if command -v dpkg-deb >/dev/null; then
    dpkg-deb -x "$deb" "$work/package"
  elif command -v xz >/dev/null; then
    # nix/toolchain/seed.sh does the same.
    {
      while LC_ALL=C read -r line; do
        case $line in *data.tar.xz*) break ;; esac
      done
      xz -dc | tar -x -C "$work/package" ./bin/busybox
    } <"$deb"
  else
    return 0
  fi
  mkdir "$work/busybox-static/bin"
  mv "$work/package/bin/busybox" "$work/busybox-static/bin/"
  add_tree "$work/busybox-static"
}

# Adds the crates of each Cargo.lock. The pinned cargo downloads them, from the registry in the user's configuration of cargo.
add_crates() (
  cargo_home=${CARGO_HOME:-${HOME:+$HOME/.cargo}}
  if [ -n "$cargo_home" ] && ! writable "$cargo_home"; then
    export CARGO_HOME="$work/cargo"
    mkdir "$CARGO_HOME"
    cp "$cargo_home"/config* "$CARGO_HOME/" 2>/dev/null || :
  fi
  grep '^crates ' "$work/missing" | while read -r _ path hash from _; do
    name=$(store_name "$path")
    if [ -d "$files/$name" ]; then add_tree "$files/$name"; continue; fi
    [ -e "$work/rust" ] || say "building the pinned cargo from its packages"
    build rust --add-root "$work/rust" --indirect || { cat "$work/build.log" >&2; die "cannot build the pinned cargo; Nix's messages are above"; }
    # For this repository, $from has only the manifests of the workspace, so cargo gets the Cargo.lock in the repository itself.
    lock=$prefix$from/Cargo.lock
    for own in "$root" "$root/nix/lint"; do ! cmp -s "$lock" "$own/Cargo.lock" || lock=$own/Cargo.lock; done
    say "fetching the crates of $lock"
    RUSTC="$work/rust/bin/rustc" "$work/rust/bin/cargo" vendor --quiet --locked --manifest-path "${lock%.lock}.toml" \
      "$part/$name" >/dev/null || die "cargo cannot fetch the crates; its messages are above. nixw can also take $name from the directory NIXW_SOURCES"
    add_tree "$part/$name" ". If $lock is what you want, write this hash in place of the old one"
    mv "$part/$name" "$files/"
  done
)
