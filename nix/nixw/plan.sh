# Asks Nix what the command has to build, and from which sources. A part of nixw.

# Sets `values` to the number of values that Nix's option $1 takes, and `passed` to whether `nix build` knows it.
look_up() {
  values=0 passed=true
  case $1 in
    --override-input | --option | --arg | --argstr) values=2 ;;
    -f | --file | --expr | -I | --include | --inputs-from | --update-input | --store | --eval-store | --reference-lock-file | --output-lock-file) values=1 ;;
    -o | --out-link | --profile | --log-format | -j) values=1 ;;
    -k | --keep | --keep-env-var | -u | --unset | --unset-env-var | --phase) values=1 passed=false ;;
    --redirect | -s | --set-env-var) values=2 passed=false ;;
    -i | --ignore-env* | --unpack | --configure | --build | --check | --install | --installcheck | --all-systems) passed=false ;;
    # A setting takes a value if it is not a switch.
    --*)
      option=${1#--}
      ! grep "^${option#extra-} = " "$work/settings" | grep -qvE ' = (true|false)$' || values=1
      ;;
  esac
}

# Prints the installable $1, `REF#NAME`. If there is a $kind of outputs, prints `REF#KIND.SYSTEM.NAME`; for checks, the set of all of them.
# This flake has one derivation that needs all checks. It is quicker to evaluate, because Nix remembers the evaluation of a derivation.
installable() {
  name=${1#"${1%%#*}"} name=${name#?}
  case $kind in
    '') echo "$1" ;;
    all-checks) echo "${1%%#*}#legacyPackages.$system.all-checks" ;;
    checks) echo "${1%%#*}#checks.$system" ;;
    *) echo "${1%%#*}#$kind.$system.${name:-default}" ;;
  esac
}

# question ASK KIND MOST ARGUMENT...: runs ASK with the options among ARGUMENT... that `nix build` knows, and with the first MOST
# installables, as outputs of KIND. If there is no installable, asks for the flake in this directory.
question() {
  ask=$1 kind=$2 most=$3
  shift 3
  left=$# found=0
  # This takes word by word from the front, and appends what is passed on.
  while [ "$left" -gt 0 ]; do
    word=$1 left=$((left - 1))
    shift
    case $word in
      -- | -c | --command) break ;;
      --dry-run) return 1 ;;
      -*)
        look_up "$word"
        while
          if $passed; then set -- "$@" "$word"; fi
          [ "$values" -gt 0 ] && [ "$left" -gt 0 ]
        do
          word=$1 left=$((left - 1)) values=$((values - 1))
          shift
        done
        ;;
      *)
        [ "$found" -lt "$most" ] || break
        found=$((found + 1))
        set -- "$@" "$(installable "$word")"
        ;;
    esac
  done
  shift "$left"
  [ "$found" -gt 0 ] || set -- "$@" "$(installable .)"
  "$ask" "$@" 2>"$work/answer"
}
ask_build() { nix build --dry-run --no-link "$@" >/dev/null; }
# shellcheck disable=SC2086 # a list of paths
ask_eval() { drvs=$(nix eval --raw "$@") && nix-store --realise --dry-run $drvs; }
of_app() { ask_eval "$@" --apply 'app: toString (builtins.attrNames (builtins.getContext app.program))'; }
of_checks() { ask_eval "$@" --apply 'checks: toString (map (check: check.drvPath) (builtins.attrValues checks))'; }

# Sets `command` to Nix's command among the arguments, and `before` to the number of options and values in front of it.
find_command() {
  before=$#
  while
    case ${1-} in -*) look_up "$1" ;; *) false ;; esac && [ $# -gt "$values" ]
  do
    shift $((values + 1))
  done
  command=${1-} before=$((before - $#))
}

# Writes to $work/plan the derivations that `nix $@` has to build, the sources among them. If Nix does not answer, `nix $@` will say why.
make_plan() {
  : >"$work/answer"
  shift "$before"
  [ $# = 0 ] || shift
  case $command in
    build | shell) question ask_build '' 999 "$@" ;;
    run) question ask_build '' 1 "$@" || question of_app apps 1 "$@" ;;
    develop | print-dev-env) question ask_build devShells 1 "$@" || question ask_build '' 1 "$@" ;;
    fmt) question ask_build '' 1 ".#formatter.$system" ;;
    flake)
      case " $* " in
        *" --no-build "*) ;;
        " check "*) shift; question ask_build all-checks 1 "$@" || question of_checks checks 1 "$@" ;;
      esac
      ;;
  esac || : >"$work/answer"
  sed -n 's/^  \(.*\.drv\)$/\1/p' "$work/answer" >"$work/plan"
}

# Writes to $work/sources all sources of the plan, those among them that were fetched before, too. A line is KIND STORE-PATH HASH FROM SIZE
# DRV. The first line of a .drv is `Derive([("out","PATH","ALGORITHM","HASH")]`, with an empty algorithm for what is built, and the variables
# are `("NAME","VALUE")`.
#
#   file     a file in Debian's archive. HASH is its SHA-256 in hexadecimal, FROM its URL
#   busybox  the directory with bin/busybox of the package FROM. This HASH, and those below, are of the NAR, in SRI form
#   crates   `cargo vendor` of the Cargo.lock in the directory FROM
list_sources() {
  xargs nix-store --query --requisites <"$work/plan" | sed -n 's#^/nix/store/\(.*\.drv\)$#\1#p' | sort -u >"$work/drvs"
  # shellcheck disable=SC2016 # awk's own variables
  (cd "$prefix/nix/store" && xargs awk -v archive="$archive" '
    function variable(name, at, rest) {
      at = index($0, "(\"" name "\",\"")
      rest = substr($0, at + length(name) + 5)
      return at ? substr(rest, 1, index(rest, "\"") - 1) : ""
    }
    function source(kind, from, size) { print kind, part[4], variable("outputHash"), from, size, FILENAME }
    { split(substr($0, 1, 500), part, "\"") }
    part[6] == "sha256" && index(variable("url"), archive) == 1 { source("file", variable("url"), variable("size")) }
    part[6] == "r:sha256" && variable("deb") != "" { source("busybox", variable("deb"), 0) }
    { directory = variable("directory") }
    part[6] == "r:sha256" && directory != "" { source("crates", variable("src") (directory == "." ? "" : "/" directory), 0) }
  ') <"$work/drvs" >"$work/sources"
}
