# Programs of another architecture run in a kernel of their own, and give back what they write and how they end. Its kernel
# takes minutes to build, so it is a nightly check: `nix build .#run-aarch64.check`.
{ run-program, toolchain, target, init }:
toolchain.run "run-${target.name}"
{
  inherit init;
  cases = ./foreign.sh;
  expect = ../expect.sh;
  make = ../broken/make.sh;
  header = ../broken/init.h;
  gcc = "${target.prefix}gcc";
  PATH = "${run-program}/bin:${toolchain.${target.cc}}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "foreign.sh" ''
    sh -e $cases | tee $out
    [ "$(tail -n 1 $out)" = "all cases passed" ]
  '')
