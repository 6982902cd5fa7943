# `debug-lines` shows the lines of Linux' sources where the guest is, and the kernel in the guest is the usual one: the symbols with lines
# belong to the same code.
{ debug-lines, products, toolchain }:
toolchain.run "debug-lines"
{
  inherit (products.kernel) vmlinux;
  lines = products.kernel.lines.vmlinux;
  PATH = "${debug-lines}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "debug-lines.sh" ''
    # Only the build IDs of the kernel and of its vDSO differ, hashes of 20 bytes.
    [ $(wc -c <$vmlinux) = $(wc -c <$lines) ]
    [ $(cmp -l $vmlinux $lines | wc -l) -le 40 ]
    timeout 300 debug --accel tcg -- -batch -ex list -ex 'hbreak kernel_init' -ex continue -ex bt -ex 'info line' >said 2>&1
    cp said $out
    grep -q '^#0 *kernel_init (unused=.*) at /linux/init/main.c:' said
    # A line of the source itself.
    grep -q 'void start_kernel(void)' said
  '')
