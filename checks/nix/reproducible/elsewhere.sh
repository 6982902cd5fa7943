# elsewhere.sh SCRIPT: runs a builder's SCRIPT as on another machine: another directory, number of cores, time, time zone,
# language, home and umask, and directories in reverse order. (All that is dynamically linked is told the time and the order;
# busybox is static, and is not.)
export NIX_BUILD_TOP="$NIX_BUILD_TOP/else/where" NIX_BUILD_CORES=$((NIX_BUILD_CORES + 1))
mkdir -p "$NIX_BUILD_TOP"
cd "$NIX_BUILD_TOP"
export HOME="$NIX_BUILD_TOP" TMPDIR="$NIX_BUILD_TOP" USER=somebody LANG=C.UTF-8 LC_ALL=C.UTF-8 TZ=Asia/Kathmandu
# Four hundred days from now. The times of files stay what they are: make would wonder.
export FAKETIME=+400d NO_FAKE_STAT=1 LD_PRELOAD="$preload"
umask 077
exec "$builder" -e "$1"
