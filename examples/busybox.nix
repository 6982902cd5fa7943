# A shell on the console. The check types commands, as a user at a terminal does, and ends the session with Ctrl-C.
{ lib, toolchain, kernel, mkShell }:
let
  system = lib.mkSystem {
    inherit kernel;
    initramfs = mkShell ''
      echo "Type a command."
      exec setsid cttyhack sh
    '';
    expect = "# ";
    cmdline = "quiet";
  };
in
system // {
  check = toolchain.run "busybox" { PATH = "${system.boot}/bin:${toolchain.check}/bin:${toolchain.tools}/bin"; } (builtins.toFile "busybox.sh" ''
    wait_for() { for _ in $(seq 300); do ! grep -qF -e "$1" screen 2>/dev/null || return 0; sleep 0.1; done; cat screen >&2; exit 1; }
    # script(1) gives boot a terminal.
    (wait_for "# "; printf 'echo $((6 * 7)) is the answer\r'; wait_for "42 is the answer"; printf '\003') |
      SHELL=$(command -v sh) script --quiet --return --flush --command "boot --accel tcg" screen >$out
    cat $out
    grep -q "^42 is the answer" $out
    grep -q "boot: ended" $out
  '');
}
