# bin/ci: builds all checks of a flake, and makes a table of the results (ci.sh). It uses the host's nix.
{ program, tools }:
program "ci" "PATH=$PATH:${tools}/bin exec ${tools}/bin/sh ${./ci.sh} \"$@\"\n"
