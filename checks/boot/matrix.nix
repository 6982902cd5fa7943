# `boot matrix` runs every combination on user-mode Linux and in QEMU, tells failures, flakes and guests that die apart, and leaves nothing behind.
{ run-program, toolchain }:
toolchain.run "matrix"
{
  cases = ./matrix/cases.sh;
  expect = ./expect.sh;
  file = ./matrix/matrix.toml;
  PATH = "${run-program.matrix}/bin:${toolchain.tools}/bin";
  # Not measured here: a builder may have any speed.
  BOOT_ACCEL = "tcg";
}
  (builtins.toFile "matrix.sh" ''
    cp $file matrix.toml
    sh -e $cases | tee $out
    [ "$(grep -c '^all cases passed$' $out)" = 1 ]
  '')
