# A PID 1 as a real one, in Rust without `std` (supervisor/): it runs /main, reaps orphans and passes signals on. When /main ends, it
# ends what is left and switches the machine off. This /main puts it to the test.
{ lib, toolchain, kernel, mkScript, scriptFiles }:
let
  system = lib.mkSystem {
    inherit kernel;
    machine = "pc"; # the small machine has no switch
    initramfs = lib.mkInitramfs {
      init = lib.mkRustInit { src = ./supervisor; };
      files = scriptFiles // {
        "/main" = { source = mkScript (builtins.readFile ./supervisor/main.sh); mode = "0755"; };
      };
    };
    expect = "/main exited with status 7";
  };
in
system // {
  check = toolchain.run "supervisor" { inherit (system) check; } (builtins.toFile "supervisor.sh" ''
    grep "^reaped: 20" $check
    [ $(grep -c "^passed on: SIG" $check) = 11 ]
    # What is left ends, too: one process by SIGTERM, one by SIGKILL.
    grep "^as you wish" $check
    if grep "do not end" $check; then exit 1; fi
    grep "reboot: Power down" $check
    cp $check $out
  '');
}
