#!/bin/sh
# `nixw` on machines of other kinds, which are imitated here: with a nix-daemon of upstream's or Debian's, with the tools of a small image,
# with file systems that lack something, with a mirror that breaks off. docs/hosts.md says what was tried on real ones.
#
# Nix, its daemon and curl are real. /nix is this machine's, and what the test adds to it is only in memory. The locks name a few small
# files. This is no check of the flake, because the sandbox has no Nix. .ci/run runs it. It needs root, and a store that nixw has filled.
# shellcheck disable=SC2086 # $build is words
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
[ "${1-}" = inside ] || {
  unshare --mount --net true || { echo "$0: cannot make namespaces; it takes root, in a container a privileged one" >&2; exit 2; }
  exec unshare --mount --net "$0" inside
}
# shellcheck source=tests/cases.sh
. "$repository/tests/cases.sh"
# shellcheck source=tests/small-locks.sh
. "$repository/tests/small-locks.sh"

# --- the machines ---

export no_proxy=127.0.0.1 DEBIAN_MIRROR="file://$mirror" NIXW_SOURCES="$scratch/sources" NIX_CONF_DIR="$scratch/etc"
own_path=$PATH
chmod 755 "$scratch"
memory=$scratch/memory programs=$scratch/bin
mkdir "$scratch/home" "$memory" "$scratch/etc" "$programs"
chown nobody "$scratch/home"
stop_daemon() { [ -z "${daemon-}" ] || { kill "$daemon"; wait "$daemon" || :; daemon=''; }; }
trap 'stop_daemon; cd /; umount -l /nix "$memory" 2>/dev/null || :; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT

# A case begins with the store of this machine, and the crates in the directory of sources.
prepare() {
  stop_daemon
  umount -l /nix "$memory" 2>/dev/null || :
  mount -t tmpfs test "$memory"
  mkdir "$memory/new" "$memory/work"
  mount -t overlay overlay -o "lowerdir=/nix,upperdir=$memory/new,workdir=$memory/work" /nix
  rm -rf "$NIXW_SOURCES" "$programs"
  mkdir "$NIXW_SOURCES" "$programs"
  for directory in $crates_names; do cp -r "$crates" "$NIXW_SOURCES/$directory"; done
  chown -R nobody "$NIXW_SOURCES"
  : >"$NIX_CONF_DIR/nix.conf"
  PATH=$own_path
}
# stub NAME [LINE...]: a program in front of all others.
stub() {
  stub=$programs/$1
  shift
  printf '%s\n' '#!/bin/sh' "$@" >"$stub"
  chmod +x "$stub"
  PATH=$programs:$own_path
}
run() { status=0; "$copy/nixw" "$@" >"$log" 2>&1 || status=$?; }
build="build --no-link --file $copy/test.nix"
# `user ARGUMENT...` runs nixw as an ordinary user.
user() {
  status=0
  (cd "$copy"; unset NIX_CONFIG; HOME=$scratch/home exec setpriv --reuid nobody --regid nogroup --clear-groups ./nixw "$@") >"$log" 2>&1 || status=$?
}
built() { nix-store --check-validity "$all" 2>>"$log" || wrong "nothing is built"; }

# start_daemon LINE...: nix-daemon with these lines in nix.conf.
start_daemon() {
  printf '%s\n' "build-users-group =" "$@" >"$NIX_CONF_DIR/nix.conf"
  mkdir -p /nix/var/nix/daemon-socket
  rm -f /nix/var/nix/daemon-socket/socket
  chmod 755 /nix/var/nix/daemon-socket
  (unset NIX_CONFIG; exec nix-daemon) >"$scratch/daemon.log" 2>&1 &
  daemon=$!
  tries=0
  until [ -S /nix/var/nix/daemon-socket/socket ] || [ $tries = 100 ]; do sleep 0.1; tries=$((tries + 1)); done
}
busybox_path=$(real busybox.outPath)
"$busybox_path/bin/busybox" ip link set lo up
upstream="max-jobs = 1
sandbox = true
sandbox-paths = /bin/sh=$busybox_path/bin/busybox"

# --- nix-daemon, and an ordinary user ---

begin "with upstream's daemon, a user whom it does not trust builds, and several things at once"
start_daemon "$upstream"
user $build all; exits 0; built; says "from file://$mirror"; says_not "restricted"
user show-config; exits 0
! grep -qx "max-jobs = 1" "$log" || wrong "one thing at a time"
end

# ask_root: runs the commands that nixw gives to root, with programs that only write down what they are called with.
ask_root() {
  sed -n 's/^  //p' "$log" | sed "s#/etc/nix/nix.conf#$NIX_CONF_DIR/nix.conf#" >"$scratch/for-root"
  sh -e "$scratch/for-root" >>"$log" 2>&1 || wrong "the commands for root fail"
}

begin "with Debian's packages as they come, all that root has to do is told at once, and is enough"
start_daemon "sandbox = false"
chmod 700 /nix/var/nix/daemon-socket # of the group nix-users
stub apt-get "echo apt-get \"\$@\" >>$scratch/root.log"
stub usermod "echo usermod \"\$@\" >>$scratch/root.log; chmod 755 /nix/var/nix/daemon-socket"
stub systemctl "echo systemctl \"\$@\" >>$scratch/root.log"
: >"$scratch/root.log"
user $build all; exits 2; says "not ready for builds by users other than root"; says_not fetching
ask_root
grep -qx "usermod --append --groups nix-users nobody" "$scratch/root.log" || wrong "no group: $(cat "$scratch/root.log")"
grep -qx "systemctl restart nix-daemon" "$scratch/root.log" || wrong "the daemon keeps its old settings: $(cat "$scratch/root.log")"
stop_daemon
start_daemon "$(sed "s#=/bin/busybox#=$busybox_path/bin/busybox#" "$NIX_CONF_DIR/nix.conf")"
user $build all; exits 0; built
end

begin "without Nix, the packages are named, too"
stub apt-get
for tool in sh dirname readlink uname mktemp mkdir rm id grep sed cat; do ln -s "$(command -v $tool)" "$programs/$tool"; done
status=0
(cd "$copy"; PATH=$programs; export PATH; exec "$(PATH=$own_path command -v setpriv)" --reuid nobody --regid nogroup --clear-groups ./nixw $build all) >"$log" 2>&1 || status=$?
exits 2; says "apt-get install --yes curl git nix-bin"; says "'sandbox = true'"; says "nix.conf"; says "systemctl restart nix-daemon"
[ "$(wc -l <"$log")" -lt 8 ] || wrong "says too much"
end

# --- small images ---

begin "where there is no sed or awk, as in the image nixos/nix, Nix works, with its sandbox and its settings"
run $build all; exits 0
mkdir "$programs/small"
cp -rs /usr/bin/. "$programs/small/"
for tool in sed awk mawk gawk getent flock apt-get dpkg-deb xz; do rm -f "$programs/small/$tool"; done
PATH=$programs/small:$(dirname "$(command -v nix)")
case $PATH in *:/usr/bin) PATH=${PATH%:*} ;; esac
nix-store --delete --ignore-liveness "$all" >"$log" 2>&1 || wrong "cannot delete"
(cd "$copy"; ./nixw $build all) >"$log" 2>&1 && status=0 || status=$?
PATH=$own_path
exits 0; built; says "nixw: there is no awk here"
end

# --- file systems ---

begin "where no program may run in the directory for temporary files, that is told before anything is downloaded"
mkdir "$memory/temporary"
mount -t tmpfs -o noexec test "$memory/temporary"
TMPDIR=$memory/temporary run $build all
exits 2; says "$memory/temporary: no program can run there"; says_not fetching
[ -z "$(ls -A "$memory/temporary")" ] || wrong "leaves something behind"
end

begin "where the file system has no locks, nixw says so and works"
stub flock 'echo "flock: 9: No locks available" >&2' 'exit 71'
run $build all; exits 0; built; says "has no locks, so run only one nixw there at a time"
end

begin "HOME is not needed"
(unset HOME XDG_CACHE_HOME; exec "$copy/nixw" $build all) >"$log" 2>&1 && status=0 || status=$?
exits 0; built
end

# --- the place of the checkout ---

copy_repository "$scratch/flake"
init=$(nix eval --raw "git+file://$copy#init")
copy=$scratch/copy
# nixw evaluates an output of the flake in directory $1, or says how to name it. With that name, it works.
works_in() {
  (cd "$1"; exec ./nixw eval --raw .#init) >"$log" 2>&1 && status=0 || status=$?
  [ "$status" = 0 ] || says "nixw: this Nix cannot read a git repository with the path"
  [ "$(cd "$1"; ./nixw eval --raw git+file:.#init 2>>"$log")" = "$init" ] || wrong "git+file:.#init is another in $1"
}
for place in 'a blank' 'a#b' 'a?b' 'a%b' 'ümläut' "it's"; do
  begin "a repository in the directory $place"
  git clone -q "$scratch/flake" "$scratch/$place"
  works_in "$scratch/$place"
  end
done

begin "a shallow clone, a worktree, and an archive without .git"
git clone -q --depth 1 "file://$scratch/flake" "$scratch/shallow"
git -C "$scratch/flake" worktree add -q "$scratch/worktree" 2>"$log"
mkdir -p "$scratch/archive" "$scratch/other/archive"
git -C "$scratch/flake" archive HEAD | tee "$scratch/flake.tar" | tar -x -C "$scratch/archive"
for directory in shallow worktree archive; do
  [ "$(cd "$scratch/$directory"; ./nixw eval --raw .#init 2>>"$log")" = "$init" ] || wrong "another init in $directory"
done
end

begin "an archive inside of another repository, whose git does not know the files: what to do"
git init -q "$scratch/other"
tar -x -C "$scratch/other/archive" -f "$scratch/flake.tar"
(cd "$scratch/other/archive"; exec ./nixw eval --raw .#init) >"$log" 2>&1 && wrong "works"
says "nixw: git does not know the files here"
[ "$(cd "$scratch/other/archive"; ./nixw eval --raw path:.#init 2>>"$log")" = "$init" ] || wrong "path: does not work"
end

# --- the network ---

# listens PORT: waits until a server on this machine listens on the port, in hexadecimal. The text is for an inner shell, too.
# shellcheck disable=SC2016
listens='listens() { tries=0; until grep -q ":$1 00000000:0000 0A" /proc/net/tcp || [ $tries = 300 ]; do sleep 0.1; tries=$((tries + 1)); done; }'
eval "$listens"

# `curl_says STATUS`: curl reaches Nix's public cache (0) or does not (7). Prints two settings of Nix with which nixw runs it.
curl_says() {
  stub curl "exit $1"
  NIX_CONFIG='' run show-config; exits 0
  grep -E '^(substituters|flake-registry) =' "$log" >"$scratch/settings"
}
begin "Nix asks its public cache only where that can be reached"
curl_says 0
grep -qx "substituters = https://cache.nixos.org/" "$scratch/settings" || wrong "$(cat "$scratch/settings")"
curl_says 7
grep -qx "substituters = " "$scratch/settings" || wrong "$(cat "$scratch/settings")"
grep -qx "flake-registry = $copy/nix/registry.json" "$scratch/settings" || wrong "$(cat "$scratch/settings")"
end

# A server that is busy (429) at first, then breaks off each file in the middle, and then has the file with a damaged first half.
begin "a mirror that is busy and breaks off is asked again, and transfers continue where they broke off"
mkdir -p "$scratch/www/cgi-bin" "$scratch/www/pool" "$scratch/state"
for file in small_1_amd64.deb linux.tar.xz; do
  half=$(($(stat -c %s "$mirror/pool/$file") / 2))
  { head -c $half /dev/zero; tail -c +$((half + 1)) "$mirror/pool/$file"; } >"$scratch/www/pool/$file"
done
cat >"$scratch/www/cgi-bin/mirror" <<SH
#!$busybox_path/bin/busybox sh
PATH=$PATH
name=\$(basename "\$PATH_INFO")
if mkdir "$scratch/state/\$name.busy" 2>/dev/null; then
  printf 'Status: 429 Too Many Requests\r\nRetry-After: 1\r\n\r\n'
elif mkdir "$scratch/state/\$name.broken" 2>/dev/null; then
  size=\$(stat -c %s "$mirror/\$PATH_INFO")
  printf 'Content-Length: %s\r\n\r\n' "\$size"
  head -c \$((size / 2)) "$mirror/\$PATH_INFO"
else
  printf 'Status: 302 Found\r\nLocation: /pool/%s\r\n\r\n' "\$name"
fi
SH
chmod +x "$scratch/www/cgi-bin/mirror"
"$busybox_path/bin/busybox" httpd -f -p 127.0.0.1:8459 -h "$scratch/www" &
server=$!
listens 210B
DEBIAN_MIRROR=http://127.0.0.1:8459/cgi-bin/mirror run $build all
kill $server
exits 0; built
[ -d "$scratch/state/linux.tar.xz.broken" ] || wrong "the server did not break off"
end

# internet COMMAND...: runs COMMAND where nothing but Debian's permanent archive can be reached, whose certificate is in $certificate.
certificate=$scratch/certificate.pem
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=DNS:snapshot.debian.org \
  -keyout "$scratch/key.pem" -out "$certificate" 2>"$log"
mkdir -p "$scratch/internet/archive/debian/2026"
cp -r "$mirror/pool" "$scratch/internet/archive/debian/2026/"
echo "127.0.0.1 localhost snapshot.debian.org" >"$scratch/hosts"
internet() {
  status=0
  # shellcheck disable=SC2016 # for the inner shell
  env -u http_proxy -u https_proxy -u DEBIAN_MIRROR listens="$listens" scratch="$scratch" NIX_SSL_CERT_FILE="$certificate" \
    unshare --mount sh -euc '
    mount --bind "$scratch/hosts" /etc/hosts
    (cd "$scratch/internet"; exec openssl s_server -quiet -accept 127.0.0.1:443 -cert ../certificate.pem -key ../key.pem -WWW) >/dev/null 2>&1 &
    trap "kill $!" EXIT
    eval "$listens"
    listens 01BB
    "$@"' sh "$@" >"$log" 2>&1 || status=$?
}

begin "Nix alone fetches from Debian's archive, through a proxy with a certificate of its own"
for directory in $crates_names; do nix-store --add-fixed --recursive sha256 "$NIXW_SOURCES/$directory" >>"$log"; done
internet nix $build all; exits 0; built
end

begin "so does nixw, where there is no mirror, and keeps what it fetches"
stub apt-get 'exit 1'
# A curl for which the archive is a directory.
# shellcheck disable=SC2016 # for the stub
stub curl "to_directory='s#https://snapshot.debian.org/#file://$scratch/internet/#'" \
  'for word; do shift; [ ! -f "$word" ] || sed -i "$to_directory" "$word"; set -- "$@" "$(printf "%s\\n" "$word" | sed "$to_directory")"; done' \
  "exec $(command -v curl) \"\$@\""
DEBIAN_MIRROR='' run $build all; exits 0; built; says "from https://snapshot.debian.org/archive/debian"
cmp "$NIXW_SOURCES/linux.tar.xz" "$mirror/pool/linux.tar.xz" >>"$log" || wrong "it is not kept"
end

summary hosts
