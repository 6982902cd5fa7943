# A shell on the console: `nix run .#shell`. The check types commands, as a user at a terminal does, and ends one session with `exit`, and
# the other with Ctrl-C.
{ lib, toolchain, kernel, mkShell }:
let
  system = lib.mkSystem {
    inherit kernel;
    initramfs = mkShell ''
      echo "This is a guest with busybox. Type a command; help lists them, and exit ends the guest."
      setsid cttyhack sh
      reboot -f # the default machine cannot power off
    '';
    expect = "# ";
    cmdline = "quiet";
  };
in
system // {
  check = toolchain.run "busybox" { PATH = "${system.boot}/bin:${toolchain.check}/bin:${toolchain.tools}/bin"; } (builtins.toFile "busybox.sh" ''
    wait_for() { for _ in $(seq 300); do ! grep -qF -e "$1" screen 2>/dev/null || return 0; sleep 0.1; done; cat screen >&2; exit 1; }
    # session INPUT: types INPUT after a command. script(1) gives boot a terminal.
    session() {
      rm -f screen
      (wait_for "# "; printf 'echo $((6 * 7)) is the answer\r'; wait_for "42 is the answer"; printf "$1") |
        SHELL=$(command -v sh) script --quiet --return --flush --command "boot --accel tcg" screen >said
      cat said
      grep -q "^42 is the answer" said
      grep -q "boot: ended" said
    }
    session '\003'
    session 'exit\r'
    grep -q "reboot: Restarting system" said
    cp said $out
  '');
}
