# Every fragment of the kernel's configuration resolves for every target, alone on top of the small kernel and together with all
# others. Nothing is compiled. The check also proves that the build finds options that Kconfig drops: a misspelt one, and one that
# depends on an option that is off.
{ toolchain, targets, library, linux }:
let
  inherit (toolchain) run;
  environment = import ../../nix/kernel/environment.nix { inherit toolchain; };

  resolve = target: run "fragments-${target.name}"
    (environment { inherit target; src = linux.tree; } // {
      # User-mode Linux has one processor, and no virtio devices.
      fragments = map (name: ../../nix/kernel + "/${name}.config")
        (builtins.filter (name: target ? qemu || !builtins.elem name [ "smp" "net" "block" ]) library.fragments);
    })
    (builtins.toFile "fragments.sh" ''
      build=$NIX_BUILD_TOP/build
      mkdir $build
      . $make

      for fragment in $fragments; do
        echo "== $fragment"
        configure $base $fragment
      done
      echo "== all of them"
      configure $base $fragments

      # misspelt LINE...: a fragment of these lines is refused.
      misspelt() {
        echo "== $1"
        printf '%s\n' "$@" >misspelt.config
        ! configure $base misspelt.config 2>said || { echo "it is not refused"; exit 1; }
        grep -F 'misspelt.config:' said
      }
      misspelt CONFIG_TTYY=y
      misspelt "# [$target, since 6.1] Counts." CONFIG_TTYY=y
      misspelt '# [vax] No such target.' CONFIG_TTYY=y
      misspelt '# [since six] No such version.' CONFIG_TTYY=y
      echo "== what does not count"
      printf '%s\n' '# [before 6.1]' CONFIG_TTYY=y >other.config
      configure $base other.config
      touch $out
    '');
in
run "fragments"
{
  resolved = map (name: resolve targets.${name}) (builtins.attrNames targets);
  checkConfig = ../../nix/kernel/check-config.sh;
}
  (builtins.toFile "fragments.sh" ''
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
