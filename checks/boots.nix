# The system boots wherever it should, a boot for each row of `boots`, and its log is as it should be.
#
#   machine    QEMU's machine model
#   kernel     vmlinux, which starts through PVH, or bzImage, which unpacks itself
#   cpu        QEMU's model: Opteron_G1 is a K8, the first x86-64 there was; core2duo Intel's of 2006; max all that QEMU can emulate
#   memory     in MiB. Less than the smallest does not boot: too_little in broken.nix
#   smp        processors. The kernel has no SMP, which would cost it size and time: it runs on the first and leaves the others alone
#   initramfs  how it is packed: boots/initramfs.sh
{ self, toolchain }:
let
  boots = ''
    machine kernel  cpu        memory smp initramfs
    microvm vmlinux qemu64     128    1   gzip
    microvm bzImage qemu64     128    1   gzip
    pc      vmlinux qemu64     128    1   gzip
    pc      bzImage qemu64     128    1   gzip
    q35     vmlinux qemu64     128    1   gzip
    q35     bzImage qemu64     128    1   gzip
    microvm vmlinux Opteron_G1 128    1   gzip
    microvm vmlinux core2duo   128    1   gzip
    microvm vmlinux max        128    1   gzip
    q35     bzImage Opteron_G1 128    1   gzip
    pc      bzImage core2duo   128    1   gzip
    q35     bzImage max        128    1   gzip
    microvm vmlinux qemu64     32     1   gzip
    microvm bzImage qemu64     32     1   gzip
    pc      bzImage qemu64     32     1   gzip
    microvm vmlinux qemu64     4096   1   gzip
    q35     bzImage qemu64     4096   1   gzip
    microvm vmlinux qemu64     128    4   gzip
    q35     bzImage qemu64     128    4   gzip
    microvm vmlinux qemu64     128    1   none
    microvm vmlinux qemu64     128    1   several
    q35     bzImage qemu64     128    1   several
    microvm vmlinux qemu64     128    1   overriding
  '';
in
toolchain.run "boots"
{
  inherit boots;
  inherit (self) init;
  inherit (self.kernel) vmlinux bzImage;
  initramfs = ./boots/initramfs.sh;
  row = ./boots/run.sh;
  cleanLog = ./clean-log.sh;
  PATH = "${self.boot}/bin:${self.packer}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "boots.sh" ''
    . $initramfs
    printf %s "$boots" | sed 1d >rows
    # A boot that fails is told, and so are all the others.
    xargs -n 6 -P $NIX_BUILD_CORES sh -e $row <rows >results || failed=true
    cat results
    [ -z "$failed" ]
    [ "$(wc -l <results)" = "$(wc -l <rows)" ]
    cp results $out
  '')
