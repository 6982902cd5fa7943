# `boot` leaves nothing behind when it is killed. It is killed 1,000 times at random moments, half of them by SIGKILL, and half of
# them with a wrapper around QEMU that starts a daemon. Neither QEMU nor the daemon may stay, and an unfinished file only after
# SIGKILL.
{ products, toolchain }:
toolchain.run "kills"
{
  wrapper = ''
    #!/bin/sh
    setsid sleep 1000 </dev/null >/dev/null 2>&1 &
    qemu-system-x86_64 "$@"
  '';
  PATH = "${products.boot}/bin:${toolchain.qemu}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "kills.sh" ''
    printf %s "$wrapper" >wrapper
    chmod +x wrapper
    # The sandbox has process ids of its own: whatever is there besides this shell was started here.
    left() { grep -lE '^(boot|qemu-system-x86|wrapper|sleep)$' /proc/[0-9]*/comm 2>/dev/null; }

    RANDOM=17
    round=0
    while [ $round -lt 1000 ]; do
      round=$((round + 1))
      case $((round % 2)) in 0) qemu=./wrapper ;; *) qemu=qemu-system-x86_64 ;; esac
      case $((round % 8)) in 0 | 1 | 2 | 3) signal=KILL ;; 4 | 5) signal=TERM ;; 6) signal=INT ;; *) signal=HUP ;; esac
      # A shell has its background jobs ignore SIGINT, and boot would keep to that.
      [ $signal != INT ] || signal=QUIT
      boot --accel tcg --qemu $qemu --settle 9 --report report.json </dev/null >log 2>&1 &
      boot=$!
      moment=$((RANDOM % 400))
      sleep $(printf 0.%03d $moment)
      kill -$signal $boot || { echo "round $round: boot was gone after $moment ms:"; cat log; exit 1; }
      wait $boot || :
      waited=0
      while left >processes; do
        waited=$((waited + 1))
        if [ $waited -gt 1000 ]; then
          echo "round $round: $signal after $moment ms left behind:"
          for process in $(sed 's,/comm$,,' processes); do tr '\0' ' ' <$process/cmdline; echo; done
          exit 1
        fi
        sleep 0.01
      done
      if [ $signal != KILL ] && ls -d .boot-* 2>/dev/null; then echo "round $round: $signal after $moment ms left that file"; exit 1; fi
      rm -f .boot-*
    done
    echo "$round kills" >$out
  '')
