# A kernel build ends, with a list, when Kconfig drops what a fragment asks for; and it does not when nothing is dropped.
{ toolchain }:
toolchain.run "kernel-config" { checkConfig = ../nix/kernel/check-config.sh; } (builtins.toFile "kernel-config.sh" ''
  cat > resolved <<RESOLVED
  CONFIG_TTY=y
  # CONFIG_SMP is not set
  CONFIG_LOG_BUF_SHIFT=14
  CONFIG_DEFAULT_HOSTNAME="(none)"
  RESOLVED
  cat > good <<FRAGMENT
  # what is there
  CONFIG_TTY=y
  CONFIG_SMP=n
  # CONFIG_MODULES is not set
  CONFIG_LOG_BUF_SHIFT=0xe
  CONFIG_DEFAULT_HOSTNAME="(none)"
  FRAGMENT
  sh $checkConfig resolved good

  # check WANTED MESSAGE: a fragment that wants WANTED is refused with MESSAGE.
  check() {
    echo "$1" > bad
    ! sh $checkConfig resolved good bad 2>said || { echo "$1 is not refused"; exit 1; }
    cat said
    grep -qF "bad:1: asked for $2" said
  }
  check CONFIG_SMP=y 'CONFIG_SMP=y, found n'
  check CONFIG_TTYY=y 'CONFIG_TTYY=y, found nothing: no such option, or one that depends on something that is off'
  check '# CONFIG_TTY is not set' 'CONFIG_TTY=n, found y'
  check CONFIG_LOG_BUF_SHIFT=15 'CONFIG_LOG_BUF_SHIFT=15, found 14'
  check 'CONFIG_DEFAULT_HOSTNAME="guest"' 'CONFIG_DEFAULT_HOSTNAME="guest", found "(none)"'
  touch $out
'')
