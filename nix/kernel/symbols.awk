# Reads what nm prints of a vmlinux, and writes the symbols that it exports as Module.symvers has them: a checksum, which is 0 without
# CONFIG_MODVERSIONS, the name, where it is, how it is exported, and no namespace (Linux' scripts/mod/modpost.c, read_dump()).

# Addresses have the same number of digits, so they compare as text.
$3 == "__start___ksymtab_gpl" { first = $1 }
$3 == "__stop___ksymtab_gpl" { end = $1 }
$3 ~ /^__ksymtab_/ { address[substr($3, 11)] = $1 }
END {
  for (name in address) {
    gpl = "x" address[name] >= "x" first && "x" address[name] < "x" end
    printf "0x00000000\t%s\tvmlinux\tEXPORT_SYMBOL%s\t\n", name, gpl ? "_GPL" : ""
  }
}
