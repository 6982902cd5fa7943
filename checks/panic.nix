# An init that returns panics the kernel, and `boot` says so: it must not take that for a success, or wait for ever.
{ self, toolchain, target, mkBoot, mkInitramfs }:
let
  inherit (toolchain) cc run tools;
  exits = run "init-that-exits" { PATH = "${cc}/bin:${tools}/bin"; } (builtins.toFile "exits.sh" ''
    mkdir -p $out/bin
    echo 'void _start(void) { __asm__("mov $60, %eax; mov $7, %edi; syscall"); }' > init.c
    gcc -static -nostdlib -O1 -o $out/bin/init init.c
  '');
  boot = mkBoot { inherit target; inherit (self) kernel; initramfs = mkInitramfs { init = exits; }; };
in
run "panic" { PATH = "${boot}/bin:${tools}/bin"; } (builtins.toFile "panic.sh" ''
  status=0
  boot --accel tcg --timeout 120 --log $out </dev/null 2>verdict || status=$?
  cat verdict
  [ "$status" = 1 ]
  # The status of exit(7), as wait(2) encodes it.
  grep -q 'kernel panic: Attempted to kill init! exitcode=0x00000700' verdict
'')
