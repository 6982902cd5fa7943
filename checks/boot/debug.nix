# `debug` stops the guest at the requested place, and gdb shows the functions of the kernel and of init by name.
{ toolchain, debug }:
toolchain.run "debug"
{
  PATH = "${debug}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "debug.sh" ''
    # session WORDS: what debug says goes to `said`, and to $out.
    session() {
      status=0
      timeout 300 debug "$@" >said 2>&1 || status=$?
      tee -a $out <said
      [ "$status" = 0 ]
      # The guest has ended with gdb.
      grep -q '^boot: ended' said
    }

    session --accel tcg -- -batch -ex bt -ex 'hbreak kernel_init' -ex continue -ex bt
    grep -q '^#0 .* in start_kernel ()' said
    grep -q ' in x86_64_start_kernel ()' said
    grep -q '^#0 .* in kernel_init ()' said
    # The guest has written that by then.
    grep -q 'Linux version' said

    session --init --accel tcg -- -batch -ex bt -ex 'hbreak init::main' -ex continue -ex bt -ex 'print fd'
    grep -q '^#0 .* in _start ()' said
    grep -q '^#0 *init::write_all (fd=1, .*) at init/src/main.rs:' said
    grep -q '^#1 *init::main () at init/src/main.rs:' said
    # After the guest's text, which has no newline, if both write at the same time.
    grep -q '[$]1 = 1$' said
    grep -q 'Run /init as init process' said
  '')
