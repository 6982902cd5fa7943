# The system boots on every machine, kernel image, CPU, memory size and initramfs in the table `boots`, and its log has no errors.
#
#   target     of nix/targets.nix
#   machine    QEMU's machine model, or - for user-mode Linux
#   kernel     vmlinux, which starts through PVH, bzImage, which unpacks itself, or, on other targets, Image or linux
#   cpu        QEMU's model. Opteron_G1 is a K8, the first x86-64 CPU; core2duo is Intel's of 2006; cortex-a53 is among the first with
#              AArch64; neoverse-n1 is of 2019; rv64 has RV64GC; max has all that QEMU can emulate
#   memory     in MiB. With less than the smallest here, the kernel does not boot: too_little in broken.nix
#   smp        processors. The kernels for x86_64 and riscv64 have no SMP, because it costs size and time. They use the first processor
#              only. aarch64's kernel always has SMP, and uses two
#   initramfs  how the initramfs is packed: boots/initramfs.sh
{ products, guestSystems, targets, toolchain }:
let
  boots = ''
    target  machine kernel  cpu         memory smp initramfs
    x86_64  microvm vmlinux qemu64      128    1   gzip
    x86_64  microvm bzImage qemu64      128    1   gzip
    x86_64  pc      vmlinux qemu64      128    1   gzip
    x86_64  pc      bzImage qemu64      128    1   gzip
    x86_64  q35     vmlinux qemu64      128    1   gzip
    x86_64  q35     bzImage qemu64      128    1   gzip
    x86_64  microvm vmlinux Opteron_G1  128    1   gzip
    x86_64  microvm vmlinux core2duo    128    1   gzip
    x86_64  microvm vmlinux max         128    1   gzip
    x86_64  q35     bzImage Opteron_G1  128    1   gzip
    x86_64  pc      bzImage core2duo    128    1   gzip
    x86_64  q35     bzImage max         128    1   gzip
    x86_64  microvm vmlinux qemu64      7      1   gzip
    x86_64  microvm bzImage qemu64      7      1   gzip
    x86_64  pc      bzImage qemu64      7      1   gzip
    x86_64  q35     vmlinux qemu64      7      1   gzip
    x86_64  microvm vmlinux qemu64      4096   1   gzip
    x86_64  q35     bzImage qemu64      4096   1   gzip
    x86_64  microvm vmlinux qemu64      128    4   gzip
    x86_64  q35     bzImage qemu64      128    4   gzip
    x86_64  microvm vmlinux qemu64      128    1   none
    x86_64  microvm vmlinux qemu64      128    1   several
    x86_64  q35     bzImage qemu64      128    1   several
    x86_64  microvm vmlinux qemu64      128    1   overriding
    aarch64 virt    Image   cortex-a53  128    1   gzip
    aarch64 virt    Image   neoverse-n1 128    1   gzip
    aarch64 virt    Image   max         128    1   gzip
    aarch64 virt    Image   cortex-a53  9      1   gzip
    aarch64 virt    Image   cortex-a53  4096   1   gzip
    aarch64 virt    Image   cortex-a53  128    4   gzip
    aarch64 virt    Image   cortex-a53  128    1   several
    riscv64 virt    Image   rv64        128    1   gzip
    riscv64 virt    Image   rv64        9      1   gzip
    riscv64 virt    Image   rv64        4096   1   gzip
    riscv64 virt    Image   rv64        128    4   gzip
    riscv64 virt    Image   rv64        128    1   several
    um      -       linux   -           64     1   gzip
    um      -       linux   -           9      1   gzip
    um      -       linux   -           1024   1   gzip
    um      -       linux   -           64     1   none
    um      -       linux   -           64     1   several
    um      -       linux   -           64     1   overriding
  '';
in
toolchain.run "boots"
{
  inherit boots;
  systems = import ./boots/systems.nix { inherit guestSystems targets toolchain; };
  targets = builtins.attrNames guestSystems;
  initramfs = ./boots/initramfs.sh;
  row = ./boots/run.sh;
  cleanLog = ./clean-log.sh;
  PATH = "${products.packer}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "boots.sh" ''
    eval "$systems"
    for target in $targets; do
      mkdir $target
      eval "init=\$init_$target"
      (cd $target; . $initramfs)
    done
    # Not every host has all targets.
    printf %s "$boots" | awk -v targets=" $targets " 'NR > 1 && index(targets, " " $1 " ")' >rows
    [ -s rows ]
    # A boot that fails is told, and so are all the others.
    xargs -n 7 -P $NIX_BUILD_CORES sh -e $row <rows >results || failed=true
    cat results
    [ -z "$failed" ]
    [ "$(wc -l <results)" = "$(wc -l <rows)" ]
    cp results $out
  '')
