# cargo NAME { src, members, crates, script, target ?, tools ?, ... }: the derivation in which `script` runs with cargo, offline. cargo.sh
# describes the variables; the programs of the trees `tools` are in PATH.
{ toolchain }:
let
  inherit (toolchain) cc run rust tools;
  path = extra: builtins.concatStringsSep ":" (map (tree: "${tree}/bin") (extra ++ [ rust cc tools ]));
in
name: environment: run name
  ({
    target = "";
    PATH = path (environment.tools or [ ]);
  } // removeAttrs environment [ "tools" ]) ./cargo.sh
