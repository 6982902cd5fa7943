# Every fragment of the kernel's configuration resolves, for every target: alone on top of the small kernel, and all of them together.
# Nothing is compiled for it. And a misspelt option is found, wherever it counts.
{ toolchain, targets, library, inputs }:
let
  inherit (toolchain) run;
  environment = import ../nix/kernel/environment.nix { inherit toolchain; };

  resolve = target: run "fragments-${target.name}"
    (environment { inherit target; src = inputs.linux; } // {
      fragments = map (name: ../nix/kernel + "/${name}.config") library.fragments;
    })
    (builtins.toFile "fragments.sh" ''
      build=$NIX_BUILD_TOP/build
      mkdir $build
      . $make

      for fragment in $fragments; do
        echo "== $fragment"
        configure $base $fragment
      done
      echo "== all of them"
      configure $base $fragments

      # misspelt LINE...: a fragment of these lines is refused.
      misspelt() {
        echo "== $1"
        printf '%s\n' "$@" >misspelt.config
        ! configure $base misspelt.config 2>said || { echo "it is not refused"; exit 1; }
        grep -F 'misspelt.config:' said
      }
      misspelt CONFIG_TTYY=y
      misspelt "# [$target, since 6.1] Counts." CONFIG_TTYY=y
      misspelt '# [vax] No such target.' CONFIG_TTYY=y
      misspelt '# [since six] No such version.' CONFIG_TTYY=y
      echo "== what does not count"
      printf '%s\n' '# [before 6.1]' CONFIG_TTYY=y >other.config
      configure $base other.config
      touch $out
    '');
in
run "fragments" { resolved = map (name: resolve targets.${name}) (builtins.attrNames targets); } (builtins.toFile "fragments.sh" "touch $out")
