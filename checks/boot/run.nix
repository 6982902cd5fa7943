# `boot run` gives back what a program writes and how it ends, on user-mode Linux and in QEMU, and changes nothing of the host.
{ run-program, rust, targets, toolchain }:
toolchain.run "run"
{
  cases = ./run/cases.sh;
  expect = ./expect.sh;
  inherit (run-program) guests;
  # The agents for other targets compile. Their guests have a check of their own, which takes longer: run-aarch64.check.
  agents = map rust.mkAgent [ targets.aarch64 targets.riscv64 ];
  PATH = "${run-program}/bin:${toolchain.check}/bin:${toolchain.tools}/bin";
  # Not measured here: a builder may have any speed.
  BOOT_ACCEL = "tcg";
}
  (builtins.toFile "run.sh" ''
    for target in um x86_64; do
      export BOOT_TARGET=$target KERNEL=$guests/$target/kernel
      echo "== $target"
      mkdir $target
      (cd $target && sh -e $cases) || { echo "a case for $target failed" >&2; exit 1; }
    done | tee $out
    [ "$(grep -c '^all cases passed$' $out)" = 2 ]

    # strace traces everything, so nothing else can: boot says so, and takes QEMU. (With KVM, it takes QEMU anyway.)
    unset BOOT_ACCEL BOOT_TARGET
    status=0
    strace -f -o /dev/null run --summary -- sh -c 'exit 7' 2>words || status=$?
    cat words
    [ $status = 7 ]
    grep -q '^boot: x86_64 ran the program' words
    grep -q '^boot: QEMU runs the program, because this host does not allow ptrace(2): ' words || grep -q '(kvm, ' words
  '')
