# `bench boot` measures all targets. Each baseline guest and each of our systems prints its line, runs again with its instructions counted,
# and appears in the table, the JSON and the pictures. Each runs once, and the check ignores the seconds. The pictures in docs/
# must be those of the recorded results.
{ guestSystems, mkBench, toolchain }:
let bench = mkBench { inherit guestSystems; }; in
toolchain.run "bench"
{
  PATH = "${bench}/bin:${toolchain.tools}/bin";
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
    # With KVM, whatever this machine has: of the three targets two are not its own.
    if bench boot --accel kvm 2>said; then exit 1; fi
    cat said
    grep -q 'cannot use KVM: ' said
  '')
