# One row of broken.nix: makes the image, boots it with the real runner, and compares the verdict.
# The derivation has the fields of row NAME in the variables FIELD_NAME.
name=$1
field() { eval "printf '%s' \"\${$1_$name-}\""; }

mkdir "$name"
cd "$name"
eval "$systems"
target=$(field target)
eval "boot=\$boot_$target gcc=\$gcc_$target"
# shellcheck disable=SC1090 # a store path
. "$make"
# A row says how to make the image, or what init does.
init=$(field init)
if [ -n "$init" ]; then
  compile "$init"
  pack init
fi
eval "$(field image)"

code=0
# The options are words.
# shellcheck disable=SC2046
eval "set -- $(field options)"
[ ! -e kernel ] || set -- --kernel kernel "$@"
# User-mode Linux has no accelerator.
[ "$target" = um ] || set -- --accel tcg "$@"
"$boot" --initrd initramfs --report report.json "$@" </dev/null >log 2>words || code=$?

# The report's verdict is an object of its own, with its fields one to a line.
found=$(sed -n '/^  "verdict": {/,/^  }/s/^    "kind": "\(.*\)",*$/\1/p' report.json || true)
warning=$(sed -n '/^boot: warning: /p' words)
sentence=$(sed '/^boot: warning: /d' words | head -n 1)
# An empty text is in every warning, so none may be there.
is_warned() {
  case $warning in
    *"$(field warns)"*) [ -z "$warning" ] || [ -n "$(field warns)" ] ;;
    *) false ;;
  esac
}
{
  echo "$name: $found, $code: $sentence"
  if [ "$found" != "$(field kind)" ] || [ "$code" != "$(field code)" ] || ! echo "$sentence" | grep -qF -e "$(field says)" || ! is_warned; then
    echo "  WRONG: expected $(field kind), $(field code), in the sentence: $(field says), in the warning: $(field warns)"
    tail -n 20 log
    cat words
    touch ../failed
  fi
} >../"$name.result"
cat ../"$name.result"
