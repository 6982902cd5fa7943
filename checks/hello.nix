# The image boots, and the serial log has the line from PID 1 exactly once and nothing that is wrong.
{ self, toolchain }:
toolchain.run "hello" {
  PATH = "${self.boot}/bin:${toolchain.tools}/bin";
} (builtins.toFile "hello.sh" ''
  # A second for whatever would go wrong after the line.
  boot --accel tcg --expect 'Hello, world!' --settle 1 --timeout 120 --log $out </dev/null

  tr -d '\r' <$out >log
  grep -q 'Run /init as init process' log
  [ "$(grep -cx 'Hello, world!' log)" = 1 ]
  if grep -E 'Kernel panic|Oops|BUG:|WARNING:|Unable to mount' log; then exit 1; fi
'')
