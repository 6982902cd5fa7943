# The report of a real boot is true. It has the right hashes, and times in the right order. The kernel's initcalls have their
# names, also in the chart and in the summary.
{ products, toolchain }:
toolchain.run "report"
{
  PATH = "${products.boot}/bin:${toolchain.tools}/bin";
  inherit (products) initramfs;
  inherit (products.kernel) vmlinux debug;
}
  (builtins.toFile "report.sh" ''
    mkdir $out
    boot --accel tcg --timeout 120 --append 'initcall_debug loglevel=8' --symbols $debug \
      --report $out/report.json --chart $out/boot.svg --summary </dev/null >log 2>words
    cat words

    # The value of a field that is written to one line, in `SECTION`.
    field() { sed -n "/^  \"$1\": {/,/^  }/s/^    \"$2\": \(.*[^,]\),*\$/\1/p" $out/report.json; }
    equal() { [ "$2" = "$3" ] || { echo "$1: found $2, expected $3"; exit 1; }; }
    equal version "$(sed -n 's/^  "version": \(.*\),$/\1/p' $out/report.json)" 2
    equal verdict "$(field verdict kind)" '"seen"'
    equal accelerator "$(field accelerator name)" '"tcg"'
    equal kernel "$(field kernel sha256)" "\"$(sha256sum <$vmlinux | cut -d ' ' -f 1)\""
    equal initrd "$(field initrd sha256)" "\"$(sha256sum <$initramfs | cut -d ' ' -f 1)\""
    equal size "$(field kernel size)" "$(stat -c %s $vmlinux)"
    for moment in ready first_byte kernel init expected end; do field host $moment; done >times
    equal moments "$(grep -c '^[0-9.]*$' times)" 6
    sort -c -n times
    # The settling is not a part of the boot.
    last=$(sed -n '/^  "phases"/,/^  ]/s/^      "end": //p' $out/report.json | tail -n 1)
    equal "end of the phases" "$last" "$(field host expected)"
    # By the kernel's own clock, some tenths of a second.
    field guest init >clock
    grep -q '^[0-9]*[.][0-9]' clock

    # This kernel names no functions: they are from its symbols.
    count=$(field initcalls count)
    [ "$count" -ge 40 ] || { echo "only '$count' initcalls"; exit 1; }
    grep -q '"name": "serial8250_init"' $out/report.json
    grep -q "^Slowest of $count initcalls " words
    grep -q '^  init  ' words
    grep -q '^serial8250_init$' $out/boot.svg
    grep -q '^</svg>' $out/boot.svg

    # The command that the report tells boots the same guest.
    line=$(field qemu shell | sed 's/^"//; s/"$//; s/\\"/"/g')
    { sh -c "exec timeout 60 $line" </dev/null || :; } >again & reader=$!
    until grep -q 'Hello, world!' again; do
      kill -0 $reader 2>/dev/null || { cat again; exit 1; }
      sleep 0.1
    done
  '')
