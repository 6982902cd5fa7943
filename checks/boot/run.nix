# `boot run` gives back what a program writes and how it ends, on user-mode Linux and in QEMU, and changes nothing of the host.
{ run-program, toolchain }:
toolchain.run "run"
{
  cases = ./run/cases.sh;
  PATH = "${run-program}/bin:${toolchain.check}/bin:${toolchain.tools}/bin";
  # Not measured here: a builder may have any speed.
  BOOT_ACCEL = "tcg";
}
  (builtins.toFile "run.sh" ''
    for target in um x86_64; do
      export BOOT_TARGET=$target
      echo "== $target"
      mkdir $target
      (cd $target && sh -e $cases) || { echo "a case for $target failed" >&2; exit 1; }
    done | tee $out
    [ "$(grep -c '^all cases passed$' $out)" = 2 ]
  '')
