# Shellcheck finds nothing in any shell script of the repository. A test that uses a store elsewhere must protect the machine's
# own store.
{ toolchain, repositoryFiles }:
toolchain.run "shellcheck"
{
  src = repositoryFiles "scripts" [ ".cargo" ".ci" "checks" "examples" "maintenance" "nix" "nixw" "tests" ];
  PATH = "${toolchain.check}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "shellcheck.sh" ''
    cd $src
    # Builders are told by their names. They have no #! line, run as `sh -e` (SC2164), and the derivation sets their
    # variables (SC2154).
    find . -name '*.sh' | xargs shellcheck --shell=dash --external-sources --exclude=SC2154,SC2164
    find . -type f ! -name '*.sh' -exec sh -c 'head -n 1 "$1" | grep -q "^#!.*sh"' sh {} \; -print >$out
    [ -s $out ]
    xargs shellcheck --external-sources <$out
    for script in $(grep -lE 'NIX_REMOTE=|--store |local[?]root=' tests/*.sh maintenance/*.sh); do
      [ $script = tests/read-only-store.sh ] || grep -q '[.] "$repository/tests/read-only-store.sh"' $script || { echo "$script: does not source tests/read-only-store.sh"; exit 1; }
    done
  '')
