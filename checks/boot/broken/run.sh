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
{
  echo "$name: $found, $code: $(head -n 1 words)"
  if [ "$found" != "$(field kind)" ] || [ "$code" != "$(field code)" ] || ! head -n 1 words | grep -qF -e "$(field says)"; then
    echo "  WRONG: expected $(field kind), $(field code), and in the sentence: $(field says)"
    tail -n 20 log
    cat words
    touch ../failed
  fi
} >../"$name.result"
cat ../"$name.result"
