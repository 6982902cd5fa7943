# `boot` leaves nothing behind when it is killed. It is killed 1,000 times at random moments, half of them by SIGKILL, and half of
# them with a wrapper around QEMU that starts a daemon. Neither QEMU nor the daemon may stay, and an unfinished file only after
# SIGKILL.
{ products, toolchain }:
toolchain.run "kills"
{
  rounds = ./kills/rounds.sh;
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
    export BOOT_ACCEL=tcg moments=600 options="--qemu $PWD/wrapper"
    for process in 0 1 2 3; do sh -e $rounds $process 250 >$process.log 2>&1 & done
    wait
    cat ?.log
    [ "$(cat ?.log | grep -c '^250 rounds')" = 4 ]
    touch $out
  '')
