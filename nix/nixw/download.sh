# Downloads files of Debian's archive from mirrors. A part of nixw.

# Prints path $1, which may have blanks, as a part of a URL.
in_url() { printf '%s\n' "$1" | sed 's/%/%25/g; s/ /%20/g; s/#/%23/g; s/?/%3F/g'; }

# Prints those of apt's mirrors that are Debian's. A mirror of another distribution has files with the same names and other contents.
mirrors_of_apt() {
  # apt does not replace placeholders that it does not know, and before its first update, it knows no index.
  # shellcheck disable=SC2016 # apt's own placeholders
  apt-get indextargets --format '$(ORIGIN)|$(RELEASE)|$(REPO_URI)' 'Created-By: Packages' >"$work/apt"
  [ -s "$work/apt" ] || LC_ALL=C apt-get --print-uris update 2>/dev/null |
    sed -n "s#^'\(.*\)/dists/\(.*\)/InRelease' .*#|\2|\1#p" >"$work/apt"
  while IFS='|' read -r origin release url; do
    url=${url%/}
    case $url in
      http://* | https://* | file:*) echo "$url" ;;
      # A file with a list of mirrors, as in Debian's images for clouds.
      mirror+file:*) grep -oE '^(https?|file):[^[:space:]]+' "${url#mirror+file:}" || : ;;
    esac | while read -r url; do
      case $origin in
        '' | *ORIGIN*)
          origin=$(curl --silent --location --connect-timeout 10 "$(echo "$url" | sed 's/ /%20/g')/dists/$release/Release" </dev/null |
            sed -n 's/^Origin: *//p' | head -n 1)
          ;;
      esac
      case $origin in
        Debian | "Debian Backports") echo "$url" ;;
        *) echo "$url (${origin:-no answer})" >>"$work/foreign" ;;
      esac
    done
  done <"$work/apt"
}

# Prints the mirrors of Debian to ask, one URL in a line.
mirrors() {
  if [ -n "${DEBIAN_MIRROR-}" ]; then
    case $DEBIAN_MIRROR in /*) echo "file://$DEBIAN_MIRROR" ;; *) echo "$DEBIAN_MIRROR" ;; esac
  elif command -v apt-get >/dev/null; then
    mirrors_of_apt
  fi | sed 's#/*$##; s/ /%20/g; s/"/%22/g; s/\\/%5C/g' | awk '!seen[$0]++'
}

# Prints the files in directory $1 that have another hash than $work/wanted says.
wrong_in() {
  while read -r name sha256 _; do
    [ ! -e "$1/$name" ] || echo "$sha256  $name"
  done <"$work/wanted" >"$work/sums"
  [ ! -s "$work/sums" ] || (cd "$1" && { LC_ALL=C sha256sum -c "$work/sums" 2>/dev/null || :; }) | sed -n 's/: FAILED.*//p'
}

# Reports a wrong file, $1 at $2, in a place that the user has named. nixw does not use the file, and continues with the others.
refuse() { say "$2: not the SHA-256 that the lock names"; echo "$1" >>"$work/refused"; }

# Downloads from mirror $1 the files that $work/wanted (lines NAME SHA256 PATH STORE-PATH SIZE) names and $files lacks, if the mirror has them. A
# file moves from $part to $files only if it is complete and has the hash of the lock.
download() {
  bytes=0
  while read -r name _ path _ size; do
    [ ! -e "$files/$name" ] || continue
    printf 'url = "%s/%s"\noutput = "%s"\n' "$1" "$path" "$name"
    bytes=$((bytes + size))
  done <"$work/wanted" >"$work/curl"
  [ -s "$work/curl" ] || return 0
  # If the host does not answer, this finds out once, and not once for every file.
  curl --silent --output /dev/null --head --connect-timeout 10 "$1/" </dev/null || { say "$1: no answer"; return 0; }
  say "fetching $(grep -c '^url' "$work/curl") files, $(((bytes + 999999) / 1000000)) MB, from $1"
  mkdir -p "$part" || die "$files: cannot write to it, and files are missing there"
  progress=$work/curl.log
  [ ! -t 2 ] || progress=/dev/stderr
  (cd "$part" && curl --fail --location --globoff --retry 2 --connect-timeout 10 --parallel --parallel-max 8 --config "$work/curl" \
    --write-out '%{exitcode} %{filename_effective}\n' </dev/null) >"$work/done" 2>"$progress" || :
  ! grep -q '^23 ' "$work/done" || die "$part: cannot write to it; is the disk full?"
  sed -n 's/^[1-9][0-9]* //p' "$work/done" | while read -r name; do rm -f "$part/$name"; done
  wrong_in "$part" >"$work/wrong"
  while read -r name; do
    rm "$part/$name"
    [ -z "${DEBIAN_MIRROR-}" ] || refuse "$name" "$1/$(awk -v name="$name" '$1 == name { print $3 }' "$work/wanted")"
  done <"$work/wrong"
  [ -n "${DEBIAN_MIRROR-}" ] || [ ! -s "$work/wrong" ] ||
    say "$1: discarding files that do not have the SHA-256 of the lock: $(paste -sd ' ' "$work/wrong")"
  sed -n 's/^0 //p' "$work/done" | while read -r name; do
    [ -e "$part/$name" ] || continue
    mv "$part/$name" "$files/"
  done
}

# Downloads the missing files to $files, and adds them to the store.
add_files() {
  while read -r kind path hash url size _; do
    [ "$kind" != file ] || echo "$(store_name "$path") $hash ${url#"$archive"/*/} $path $size"
  done <"$work/missing" >"$work/wanted"
  for name in $(wrong_in "$files"); do refuse "$name" "$files/$name"; done
  mirrors >"$work/mirrors"
  [ -s "$work/mirrors" ] || [ ! -s "$work/foreign" ] || say "not asking these mirrors, because they are not Debian's: $(sort -u "$work/foreign" | paste -sd , -)"
  while read -r mirror; do download "$mirror"; done <"$work/mirrors"
  while read -r name _; do
    [ -e "$files/$name" ] || grep -qxF "$name" "$work/refused" || echo "  $name"
  done <"$work/wanted" >"$work/absent"
  (
    cd "$files"
    while read -r name _ _ place _; do
      if [ ! -e "$name" ] || grep -qxF "$name" "$work/refused"; then continue; fi
      if grep -qxF "$place" "$work/damaged"; then add "$place" nix-store --add-fixed sha256 "$name" || echo "$name" >>"$work/refused"; else echo "$name"; fi
    done <"$work/wanted" | xargs -r nix-store --add-fixed sha256 >/dev/null
  )
}

# If files are missing or wrong, says which, and ends nixw. The right files are in the store by then.
require_files() {
  [ ! -s "$work/refused" ] || die "nixw did not add these files to the store. It added all others. Replace or remove the wrong files, and repeat this command"
  [ -s "$work/absent" ] || return 0
  if curl --silent --output /dev/null --head --connect-timeout 10 "$archive/"; then
    say "leaving $(wc -l <"$work/absent") files to Nix, to fetch from $archive"
    return 0
  fi
  die "these files are missing, and there is no mirror and no internet to download them from:
$(cat "$work/absent")
There are three ways to get them:
  - a Debian mirror: set DEBIAN_MIRROR to its URL (the directory that has pool/)
  - a directory that has them: set NIXW_SOURCES to it (nixw fills it on a machine with a network)
  - the internet: nixw needs at least ${archive%/archive*}"
}
