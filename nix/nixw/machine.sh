# What the machine lacks, apart from sources: Nix, a daemon, a sandbox, a readable repository. A part of nixw.

install_nix() {
  command -v apt-get >/dev/null || die "Nix is not installed, and there is no apt that could install it: see https://nixos.org/download"
  is_root || ask_root
  say "installing Nix (apt-get install nix-bin)"
  { apt-get -q update && apt-get -qy install --no-install-recommends nix-bin; } >"$work/apt.log" 2>&1 && return 0
  cat "$work/apt.log" >&2
  die "apt could not install nix-bin; its messages are above"
}

# An ordinary user builds through nix-daemon, which root sets up. If it lacks something, ends nixw with all commands that root has to run.
# (Debian's nix-setup-systemd switches the sandbox off, and only lets members of a group use the daemon.)
ask_root() {
  packages='' lines='' socket=/nix/var/nix/daemon-socket user=$(id -un)
  for tool in curl git; do command -v $tool >/dev/null || packages="$packages $tool"; done
  command -v nix >/dev/null || packages="$packages nix-bin"
  [ -d $socket ] || packages="$packages nix-setup-systemd"
  [ "$(setting sandbox)" = true ] || lines="  echo 'sandbox = true' >>/etc/nix/nix.conf
"
  case $(setting sandbox-paths) in
    */bin/sh*) ;;
    *)
      [ -x /bin/busybox ] || packages="$packages busybox-static"
      lines="$lines  echo 'extra-sandbox-paths = /bin/sh=/bin/busybox' >>/etc/nix/nix.conf
"
      ;;
  esac
  {
    [ -z "$packages" ] || if command -v apt-get >/dev/null; then echo "  apt-get install --yes$packages"; else echo "  # install$packages"; fi
    printf %s "$lines"
    [ -x $socket ] || id -nG "$user" | grep -qw nix-users || echo "  usermod --append --groups nix-users $user"
    [ -z "$packages$lines" ] || echo "  systemctl restart nix-daemon"
  } >"$work/root"
  if [ -s "$work/root" ]; then
    die "this machine is not ready for builds by users other than root. As root, run:
$(cat "$work/root")
Then log in again, and repeat this command"
  fi
  [ -x $socket ] || die "you are a member of the group nix-users only after you log in again"
  [ -S $socket/socket ] || die "nix-daemon does not run. As root, run: systemctl start nix-daemon"
}

# leave_to_nix TOOL ARGUMENT...: runs Nix where nixw cannot do its work, because an image such as nixos/nix has no TOOL.
leave_to_nix() {
  say "there is no $1 here, so nixw fetches no sources, and leaves that to Nix, which needs the internet for it"
  shift
  add_setting "extra-experimental-features = nix-command flakes
max-jobs = auto"
  ! is_root || add_setting "sandbox = true
sandbox-fallback = false"
  clean
  exec nix "$@"
}

# If Nix cannot read the flake in this directory, says why in one line. Nix reads a flake in a git repository through git. If git refuses,
# Nix 2.8 only prints the usage of `git diff`.
look_around() {
  case " $* " in *" path:"*) return 0 ;; esac
  git=$(LC_ALL=C git rev-parse --git-dir 2>&1) || {
    trust=$(printf '%s\n' "$git" | sed -n 's/^[[:space:]]*\(git config .*safe[.]directory .*\)/\1/p')
    [ -z "$trust" ] || die "this directory is another user's, so git does not read it, nor does Nix. If you trust its content, run: $trust"
    return 0
  }
  # A copy without .git inside of another repository.
  [ ! -e flake.nix ] || [ -n "$(git ls-files flake.nix)" ] ||
    say "git does not know the files here, so Nix does not see them. Run git add, or write path:.#NAME in place of .#NAME"
  case " $*" in *" git+file:"*) return 0 ;; esac
  # Nix 2.8 and 2.18 only read repositories whose paths have these characters; 2.26 reads all.
  case $(nix --version) in
    *" 2."[0-9]"."*) plain='A-Za-z0-9/._~+=,:@&-' ;;
    *" 2.1"[0-9]"."*) plain=' -~' ;;
    *) return 0 ;;
  esac
  ! pwd -P | LC_ALL=C grep -q "[^$plain]" ||
    say "this Nix cannot read a git repository with the path $(pwd -P). Write git+file:.#NAME in place of .#NAME, or move it"
}

# Only one nixw runs at a time: a second one would fetch the same files, and Nix cannot set up a new store twice at once.
lock() {
  exec 9<"$root/nixw"
  command -v flock >/dev/null || return 0
  status=0
  flock -n 9 2>/dev/null || status=$?
  case $status in
    0) ;;
    1) say "waiting for another nixw"; flock 9 ;;
    # As on NFS without a lock daemon.
    *) say "the file system of $root has no locks, so run only one nixw there at a time" ;;
  esac
}

# Lets Nix make an empty directory in a sandbox. That needs no source, so a machine without a sandbox is told before all downloads.
try_sandbox() {
  nix-build --no-out-link --expr 'derivation { name = "sandbox"; system = "builtin"; builder = "builtin:buildenv"; derivations = [ ]; manifest = "/"; }' \
    >"$work/build.log" 2>&1 || no_sandbox
}
no_sandbox() {
  die "nothing can be built here: $(sed "s/$(printf '\033')[[][0-9;]*m//g" "$work/build.log" | sed -n 's/^ *error: //p' | head -n 1). If this is about the sandbox: it needs namespaces and mounts, so a container must be privileged"
}

# Builds run programs in the directory for temporary files.
try_temporary() {
  ! builds_here || [ -n "$(setting build-dir)" ] || {
    echo '#!/bin/sh' >"$work/program"
    chmod +x "$work/program"
    "$work/program" 2>/dev/null || die "${TMPDIR:-/tmp}: no program can run there (noexec), but builds run programs there. Set TMPDIR to another directory, such as /var/tmp"
  }
}
