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

# Prints the URL of file $2, SNAPSHOT/PATH, at mirror $1. Only the permanent archive has snapshots.
url_at() { if [ "$1" = "$archive" ]; then echo "$1/$2"; else echo "$1/${2#*/}"; fi; }

# Downloads from mirror $1 the files that $work/wanted (lines NAME SHA256 SNAPSHOT/PATH STORE-PATH SIZE) names and $files lacks, if the mirror
# has them. A file moves from $part to $files only if it is complete and has the hash of the lock.
download() {
  # If the host does not answer, this finds out once, and not once for every file.
  curl --silent --output /dev/null --head --connect-timeout 10 --max-time 30 "$1/" </dev/null || { say "$1: no answer"; return 0; }
  mkdir -p "$part" || die "$files: cannot write to it, and files are missing there"
  for _ in 1 2 3 4; do
    transfer "$1" || return 0
  done
}

# Downloads them once. Succeeds if transfers broke off, and it makes sense to continue with them.
transfer() {
  bytes=0
  while read -r name _ path _ size; do
    [ ! -e "$files/$name" ] || continue
    printf 'url = "%s"\noutput = "%s"\n' "$(url_at "$1" "$path")" "$name"
    bytes=$((bytes + size))
  done <"$work/wanted" >"$work/curl"
  [ -s "$work/curl" ] || return 1
  say "fetching $(grep -c '^url' "$work/curl") files, $(((bytes + 999999) / 1000000)) MB, from $1"
  progress=$work/curl.log
  [ ! -t 2 ] || progress=/dev/stderr
  # curl waits and asks again if the server is busy (429 and 5xx). A transfer that stands still breaks off.
  (cd "$part" && curl --fail --location --globoff --continue-at - --retry 5 --retry-max-time 120 --connect-timeout 10 --speed-limit 1000 --speed-time 30 \
    --parallel --parallel-max 8 --config "$work/curl" --write-out '%{exitcode} %{filename_effective}\n' </dev/null) >"$work/done" 2>"$progress" || :
  ! grep -q '^23 ' "$work/done" || die "$part: cannot write to it; is the disk full?"
  # 18, 28, 52, 56 and 92 are transfers that broke off. What there is of these files stays. 33: the server cannot continue.
  grep -E '^(18|28|33|52|56|92) ' "$work/done" >"$work/broken" || :
  grep -vE '^(0|18|28|52|56|92) ' "$work/done" | while read -r _ name; do rm -f "$part/$name"; done
  wrong_in "$part" | grep -vxF "$(cut -d ' ' -f 2- "$work/broken")" >"$work/wrong" || :
  while read -r name; do rm "$part/$name"; done <"$work/wrong"
  [ ! -s "$work/wrong" ] || say "$1: discarding files that do not have the SHA-256 of the lock: $(paste -sd ' ' "$work/wrong")"
  sed -n 's/^0 //p' "$work/done" | while read -r name; do
    [ -e "$part/$name" ] || continue
    mv "$part/$name" "$files/"
  done
  [ -s "$work/broken" ]
}

# Prints lines of $work/wanted whose files are not in $files.
absent() { while read -r name rest; do [ -e "$files/$name" ] || echo "$name $rest"; done <"$work/wanted"; }

# Downloads the missing files to $files, and adds them to the store.
add_files() {
  while read -r kind path hash url size _; do
    [ "$kind" != file ] || echo "$(store_name "$path") $hash ${url#"$archive"/} $path $size"
  done <"$work/missing" >"$work/wanted"
  rm -f "$files/missing.txt"
  wrong_in "$files" >"$work/refused"
  while read -r name; do say "$files/$name: not the SHA-256 that the lock names"; done <"$work/refused"
  mirrors >"$work/mirrors"
  [ -s "$work/mirrors" ] || [ ! -s "$work/foreign" ] || say "not asking these mirrors, because they are not Debian's: $(sort -u "$work/foreign" | paste -sd , -)"
  while read -r mirror; do download "$mirror"; done <"$work/mirrors"
  absent >"$work/absent"
  [ ! -s "$work/absent" ] || download "$archive"
  absent >"$work/absent"
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
  count=$(wc -l <"$work/absent") more=
  [ "$count" -le 4 ] || more="
  and $((count - 3)) more"
  [ -z "${NIXW_SOURCES-}" ] || [ ! -w "$files" ] || {
    while read -r _ _ path _; do url_at "$archive" "$path"; done <"$work/absent" >"$files/missing.txt"
    more="$more
Their addresses are in $files/missing.txt."
  }
  die "these files are missing, and there is no mirror and no internet to download them from:
$(head -n "$((count > 4 ? 3 : 4))" "$work/absent" | sed 's/^\([^ ]*\).*/  \1/')$more
There are three ways to get them:
  - a Debian mirror: set DEBIAN_MIRROR to its URL (the directory that has pool/)
  - a directory that has them: set NIXW_SOURCES to it (nixw fills it on a machine with a network)
  - the internet: nixw needs at least ${archive%/archive*}"
}
