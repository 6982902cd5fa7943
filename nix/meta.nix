# What Nix shows and reads of a derivation that is not part of it: none of this changes a .drv.
let
  inherit (builtins) head readFile replaceStrings split stringLength substring;
in
{
  # describe { description, mainProgram ?, version ? } DERIVATION: `nix flake show` prints the description, `nix run` starts the
  # main program.
  describe = facts: drv: drv
    // (if facts ? version then { inherit (facts) version; } else { })
    // { meta = (drv.meta or { }) // removeAttrs facts [ "version" ]; };

  # The first sentence of the comment that FILE begins with, without its full stop.
  firstSentence = file:
    let
      comment = replaceStrings [ "\n#" ] [ "" ] (head (split "\n[^#]" (readFile file)));
    in
    head (split "[.] " (substring 2 (stringLength comment) (comment + " ")));
}
