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
  unshare --mount true || { echo "$0: cannot make a mount namespace; it takes root, in a container a privileged one" >&2; exit 2; }
  exec unshare --mount "$0" inside
}
# shellcheck source=tests/cases.sh
. "$repository/tests/cases.sh"
# shellcheck source=tests/small-locks.sh
. "$repository/tests/small-locks.sh"

# --- the machines ---

export no_proxy=127.0.0.1 DEBIAN_MIRROR="file://$mirror" NIXW_SOURCES="$scratch/sources" NIX_CONF_DIR="$scratch/etc"
own_path=$PATH
chmod 755 "$scratch"
mkdir "$scratch/home" "$scratch/memory" "$scratch/etc" "$scratch/bin"
chown nobody "$scratch/home"
memory() { mount -t tmpfs "$@" test "$scratch/memory"; mkdir "$scratch/memory/new" "$scratch/memory/work"; }
stop_daemon() { [ -z "${daemon-}" ] || { kill "$daemon"; wait "$daemon" || :; daemon=''; }; }
trap 'stop_daemon; cd /; umount -l /nix "$scratch/memory" 2>/dev/null || :; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT

# A case begins with the store of this machine, and the crates in the directory of sources.
prepare() {
  stop_daemon
  umount -l /nix "$scratch/memory" 2>/dev/null || :
  memory
  mount -t overlay overlay -o "lowerdir=/nix,upperdir=$scratch/memory/new,workdir=$scratch/memory/work" /nix
  rm -rf "$NIXW_SOURCES" "$scratch/bin"
  mkdir "$NIXW_SOURCES" "$scratch/bin"
  for directory in $crates_names; do cp -r "$crates" "$NIXW_SOURCES/$directory"; done
  chown -R nobody "$NIXW_SOURCES"
  : >"$NIX_CONF_DIR/nix.conf"
  PATH=$own_path
}
# stub NAME [LINE...]: a program in front of all others.
stub() {
  stub=$scratch/bin/$1
  shift
  printf '%s\n' '#!/bin/sh' "$@" >"$stub"
  chmod +x "$stub"
  PATH=$scratch/bin:$own_path
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
for tool in sh dirname readlink uname mktemp mkdir rm id grep sed cat; do ln -s "$(command -v $tool)" "$scratch/bin/$tool"; done
status=0
(cd "$copy"; PATH=$scratch/bin; export PATH; exec "$(PATH=$own_path command -v setpriv)" --reuid nobody --regid nogroup --clear-groups ./nixw $build all) >"$log" 2>&1 || status=$?
exits 2; says "apt-get install --yes curl git nix-bin"; says "'sandbox = true'"; says "nix.conf"; says "systemctl restart nix-daemon"
[ "$(wc -l <"$log")" -lt 8 ] || wrong "says too much"
end

# --- small images ---

begin "where there is no sed or awk, as in the image nixos/nix, Nix works, with its sandbox and its settings"
run $build all; exits 0
mkdir "$scratch/bin/small"
cp -rs /usr/bin/. "$scratch/bin/small/"
for tool in sed awk mawk gawk getent flock apt-get dpkg-deb xz; do rm -f "$scratch/bin/small/$tool"; done
PATH=$scratch/bin/small:$(dirname "$(command -v nix)")
case $PATH in *:/usr/bin) PATH=${PATH%:*} ;; esac
nix-store --delete --ignore-liveness "$all" >"$log" 2>&1 || wrong "cannot delete"
(cd "$copy"; ./nixw $build all) >"$log" 2>&1 && status=0 || status=$?
PATH=$own_path
exits 0; built; says "nixw: there is no awk here"
end

# --- file systems ---

begin "where no program may run in the directory for temporary files, that is told before anything is downloaded"
mkdir "$scratch/memory/temporary"
mount -t tmpfs -o noexec test "$scratch/memory/temporary"
TMPDIR=$scratch/memory/temporary run $build all
exits 2; says "$scratch/memory/temporary: no program can run there"; says_not fetching
[ -z "$(ls -A "$scratch/memory/temporary")" ] || wrong "leaves something behind"
end

begin "where the file system has no locks, nixw says so and works"
stub flock 'echo "flock: 9: No locks available" >&2' 'exit 71'
run $build all; exits 0; built; says "has no locks, so run only one nixw there at a time"
end

begin "HOME is not needed"
(unset HOME XDG_CACHE_HOME; exec "$copy/nixw" $build all) >"$log" 2>&1 && status=0 || status=$?
exits 0; built
end

# --- the network ---

# A server of the mirror. It is busy (429) at first, and then breaks off each file in the middle, once.
begin "a mirror that is busy and breaks off is asked again, and transfers continue"
mkdir -p "$scratch/www/cgi-bin" "$scratch/state"
chmod 777 "$scratch/state"
cat >"$scratch/www/cgi-bin/mirror" <<SH
#!$busybox_path/bin/busybox sh
file=$mirror\$PATH_INFO name=\$("$busybox_path/bin/busybox" basename "\$PATH_INFO")
state=$scratch/state/\$name
[ -f "\$file" ] || { printf 'Status: 404 Not Found\\r\\n\\r\\n'; exit; }
size=\$("$busybox_path/bin/busybox" stat -c %s "\$file")
if [ ! -e "\$state.busy" ]; then
  : >"\$state.busy"
  printf 'Status: 429 Too Many Requests\\r\\nRetry-After: 1\\r\\n\\r\\n'
elif [ ! -e "\$state.broken" ]; then
  : >"\$state.broken"
  printf 'Content-Length: %s\\r\\n\\r\\n' "\$size"
  "$busybox_path/bin/busybox" head -c \$((size / 2)) "\$file"
else
  from=\${HTTP_RANGE#bytes=} from=\${from%-}
  echo "\$name \$from" >>$scratch/state/continued
  printf 'Status: 206 Partial Content\\r\\nContent-Range: bytes %s-%s/%s\\r\\nContent-Length: %s\\r\\n\\r\\n' "\${from:-0}" \$((size - 1)) "\$size" \$((size - \${from:-0}))
  "$busybox_path/bin/busybox" tail -c +\$((\${from:-0} + 1)) "\$file"
fi
SH
chmod +x "$scratch/www/cgi-bin/mirror"
"$busybox_path/bin/busybox" httpd -f -p 127.0.0.1:8459 -h "$scratch/www" &
server=$!
sleep 0.3
DEBIAN_MIRROR=http://127.0.0.1:8459/cgi-bin/mirror run $build all
kill $server
exits 0; built; cat "$scratch/state/continued" >>"$log" || wrong "nothing continues"
end

summary hosts
