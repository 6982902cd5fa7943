# `boot run` gives back what a program writes and how it ends, on user-mode Linux and in QEMU, and changes nothing of the host.
{ run-program, rust, targets, toolchain }:
toolchain.run "run"
{
  cases = ./run/cases.sh;
  # The agents for other targets have no guests yet. They compile.
  agents = map rust.mkAgent [ targets.aarch64 targets.riscv64 ];
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
