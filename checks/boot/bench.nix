# `bench boot` measures all targets. Each baseline guest and each of our systems prints its line, runs again with its instructions counted,
# and appears in the table, the JSON and the pictures. Each runs once, and the check ignores the seconds. The pictures in docs/
# must be those of the recorded results. `bench run` runs each program with everything but the peers from outside, and notices a program that
# fails.
{ guestSystems, mkBench, run-program, toolchain }:
let
  # In place of the article's kernel, which takes a quarter of an hour to build: one that boots on the same machine.
  article = { kernel = run-program.kernels.x86_64; initramfs = guestSystems.x86_64.image + "/initramfs.cpio.gz"; };
  bench = mkBench { inherit guestSystems; };
  benchRun = mkBench { inherit guestSystems run-program article; };
in
toolchain.run "bench"
{
  PATH = "${bench}/bin:${toolchain.tools}/bin";
  inherit benchRun;
  targets = builtins.attrNames guestSystems;
  recorded = ../../bench/results/boot.json;
  speed = ../../docs/speed.svg;
  throughput = ../../docs/throughput.svg;
}
  (builtins.toFile "bench.sh" ''
    mkdir $out
    cd $NIX_BUILD_TOP
    bench boot --runs 1 --boots 2 --json $out/boot.json --plot $out >table
    cat table
    for target in $targets; do
      grep -q "^$target, tcg  .* executed " table
      grep -q "\"target\": \"$target\"" $out/boot.json
      grep -qx "$target, without KVM" $out/speed.svg
    done
    # Of instructions, a kernel needs several times as many to be translated as a baseline guest.
    awk '/^baseline: / { baseline = $(NF - 2) } /^(vmlinux|bzImage|Image)/ && $(NF - 2) < 4 * baseline { print; exit 1 }' table
    grep -q '^</svg>' $out/throughput.svg
    bench plot $recorded .
    cmp speed.svg $speed
    cmp throughput.svg $throughput
    sed 's/"accelerator": "tcg"/"accelerator": "kvm"/' $recorded >kvm.json
    bench plot kvm.json .
    if grep "without KVM" speed.svg; then exit 1; fi
    grep -qx "x86_64, with KVM" speed.svg
    $benchRun/bin/bench run --runs 1 --seconds 1 --json $out/run.json >table
    cat table
    for contender in "the host" "boot run, um" "boot run, QEMU (TCG)" "QEMU, the article's kernel"; do
      # Three programs, and two numbers of jobs.
      [ "$(grep -c "^$contender  *[0-9]" table)" = 5 ]
      grep -q "\"contender\": \"$contender\"" $out/run.json
    done
    if BENCH_WORK=/no-such $benchRun/bin/bench run --runs 1 2>said; then exit 1; fi
    cat said
    grep -q 'the host: .*/no-such' said || grep -q 'starting /no-such' said
    # With KVM, whatever this machine has: of the three targets two are not its own.
    if bench boot --accel kvm 2>said; then exit 1; fi
    cat said
    grep -q 'cannot use KVM: ' said
  '')
