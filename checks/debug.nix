# `debug` stops the guest where it is told to, and gdb knows the kernel's functions by their names.
{ toolchain, debug }:
toolchain.run "debug"
{
  PATH = "${debug}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "debug.sh" ''
    status=0
    timeout 300 debug --accel tcg -- -batch -ex bt -ex 'hbreak kernel_init' -ex continue -ex bt >$out 2>&1 || status=$?
    cat $out
    [ "$status" = 0 ]
    grep -q '^#0 .* in start_kernel ()' $out
    grep -q ' in x86_64_start_kernel ()' $out
    grep -q '^#0 .* in kernel_init ()' $out
    # The guest has written that by then, and ended with gdb.
    grep -q 'Linux version' $out
    grep -q '^boot: ended' $out
  '')
