# The bill of materials has each of Debian's packages, each crate and Linux, with hash, licence and address.
{ bill, toolchain }:
toolchain.run "bill"
{
  inherit bill;
  debs = builtins.attrNames toolchain.debs;
  lock = ../../Cargo.lock;
  # Their copyright files name no licence in a form that a program can read.
  unclear = [ "libcrypt1" "libpcre3" "libpixman-1-0" ];
}
  (builtins.toFile "bill.sh" ''
    # A component is one line.
    components() { grep -o '"bom-ref":"[^"]*"' $1 | sed 's/.*:"//; s/"$//' | sort; }
    grep '"type"' $bill | sed 1d >all
    {
      printf '%s\n' init linux
      printf 'deb/%s\n' $debs
      awk -F '"' '/^name/ { name = $2 } /^version/ { version = $2 } /^source/ { print "crate/" name "/" version }' $lock
    } | sort >expected
    components all | diff expected -

    # lack FIELD: the components without it.
    lack() { grep -v "\"$1\":" all >some || :; components some; }
    [ "$(lack licenses)" = "$(printf 'deb/%s\n' $unclear)" ]
    [ "$(lack hashes)" = init ]
    [ "$(lack externalReferences)" = init ]
    wc -l <all >$out
  '')
