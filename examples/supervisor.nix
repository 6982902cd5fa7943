# A complete PID 1 in Rust without `std` (supervisor/). It runs /main, reaps orphans and forwards signals. When /main ends, it ends the
# other processes and powers the machine off. The /main here tests all that.
{ lib, toolchain, mkScript, scriptFiles }:
let
  # User-mode Linux can power off. (QEMU's machines take a kernel with ACPI for it: power-off.nix.)
  target = "um";
  kernel = lib.mkKernel { inherit target; fragments = [ "unpack" "run" ]; };
  system = lib.mkSystem {
    inherit kernel target;
    initramfs = lib.mkInitramfs {
      init = lib.mkRustInit { src = ./supervisor; };
      files = scriptFiles // {
        "/main" = { source = mkScript (builtins.readFile ./supervisor/main.sh); mode = "0755"; };
      };
    };
    expect = "/main exited with status 7";
  };

  # One with a bug, `line` of which is where.
  init = toolchain.run "init"
    {
      src = ./supervisor/src;
      outputs = [ "out" "line" ];
      PATH = "${toolchain.rust}/bin:${toolchain.cc}/bin:${toolchain.tools}/bin";
    }
    (builtins.toFile "init.sh" ''
      cp -r $src src
      chmod -R u+w src
      sed -i 's/^    match start(arguments) {/    if true { panic!() }\n&/' src/main.rs
      sed -n '/panic!()/=' src/main.rs >$line
      mkdir -p $out/bin
      # The linker's options are those of build.rs.
      rustc --edition 2024 -C panic=abort -C opt-level=z -C strip=symbols \
        -C link-args="-nostartfiles -nostdlib -static -no-pie" -o $out/bin/init src/main.rs
    '');
  bug = (lib.mkSystem {
    inherit kernel target;
    initramfs = lib.mkInitramfs { inherit init; };
    expect = "supervisor: this is a bug";
  }).check;
in
system // {
  check = toolchain.run "supervisor" { inherit (system) check; inherit bug; inherit (init) line; } (builtins.toFile "supervisor.sh" ''
    grep "^supervisor: this is a bug, in src/main.rs at line $(cat $line)" $bug
    grep "^reaped: 20" $check
    [ $(grep -c "^passed on: SIG" $check) = 11 ]
    # What is left ends, too: one process by SIGTERM, one by SIGKILL.
    grep "^as you wish" $check
    if grep "do not end" $check; then exit 1; fi
    grep "reboot: Power down" $check
    cp $check $out
  '');
}
