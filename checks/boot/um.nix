# User-mode Linux is as dependable as QEMU. It boots 1,000 times with the least memory, is killed 400 times and leaves no process and
# no file behind, follows the size of a terminal, and runs where a container forbids to switch address randomization off. `boot` says
# before the boot that a host forbids ptrace(2). No other target boots this kernel.
{ guestSystems, products, toolchain }:
toolchain.run "um"
{
  rounds = ./kills/rounds.sh;
  header = ./broken/init.h;
  make = ./broken/make.sh;
  deny = ./um/deny.c;
  window = ''
    struct { unsigned short rows, columns, x, y; } size;
    char key;
    for (;;) {
      call(IOCTL, 0, TIOCGWINSZ, (long)&size, 0, 0);
      if (size.rows == 30 && size.columns == 100) print("30 x 100\n");
      if (size.rows == 40 && size.columns == 120) print("40 x 120\n");
      call(READ, 0, (long)&key, 1, 0, 0);
    }
  '';
  PATH = "${guestSystems.um.boot}/bin:${products.packer}/bin:${toolchain.check}/bin:${toolchain.cc}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "um.sh" ''
    # Nothing is written to these directories.
    mkdir home tmp
    export HOME=$PWD/home TMPDIR=$PWD/tmp
    find /tmp /dev/shm >before

    boot --repeat 1000 --jobs $((2 * NIX_BUILD_CORES)) --memory 9 2>words || { tail words; exit 1; }
    tee $out <words
    grep -q '^boot: 1000 boots, 0 failed' words

    export moments=100
    for process in 0 1; do sh -e $rounds $process 200 >$process.log 2>&1 & done
    wait
    grep -v '^Killed$' ?.log
    [ "$(cat ?.log | grep -c '^200 rounds')" = 2 ]

    find /tmp /dev/shm >after
    diff before after
    [ -z "$(ls -A home)$(ls -A tmp)" ]

    # A traced process cannot be traced by another one. The other two are what filters of containers do: ptrace(2), 101, fails with
    # EPERM or ENOSYS.
    gcc -O2 -Wall -Werror -o deny $deny
    refused() {
      status=0
      "$@" boot </dev/null >console 2>words || status=$?
      cat words
      [ $status = 125 ]
      [ ! -s console ]
      [ "$(wc -l <words)" = 1 ]
      grep -q '^boot: this host does not allow ptrace(2): .*--target x86_64' words
    }
    refused strace -f -o /dev/null
    refused ./deny 101 1
    refused ./deny 101 38
    # personality(2), 135, as in Docker. Half of these boots would fail with random addresses.
    ./deny 135 1 boot --repeat 50 --memory 9

    # The kernel is not one for a machine.
    ! boot --target x86_64 </dev/null 2>words
    grep 'it is user-mode Linux, a program of the host, and the target is x86_64' words

    # A terminal, which gets another size and then Ctrl-C. On a busy machine these take a while, so each waits for the one before.
    gcc=gcc
    . $make
    compile "$window"
    pack init
    cat >session <<'END'
    said() { tries=0; until grep -q "$1" screen; do tries=$((tries + 1)); [ $tries -lt 600 ] || exit 1; sleep 0.1; done; }
    stty rows 30 cols 100
    {
      said '30 x 100'
      stty rows 40 cols 120 </dev/tty
      # The size arrives after the signal.
      until grep -q '40 x 120' screen; do printf 'x\r' >keys; sleep 0.2; done
      printf '\003' >keys
    } &
    exec boot --initrd initramfs
    END
    mkfifo keys
    sleep 600 >keys &
    sleeper=$!
    timeout 300 script -qefc 'sh session' screen <keys >/dev/null
    kill $sleeper
    tail -n 5 screen
    grep -q '^boot: ended' screen
  '')
