# The initramfs of boots.nix, by how they are packed, from the program $init.
console="--dir /dev:0755 --node /dev/console=c:5:1:0600"

# shellcheck disable=SC2086 # words
packer create gzip --compress gzip --file "/init=$init:0755" $console
# shellcheck disable=SC2086 # words
packer create none --compress none --file "/init=$init:0755" $console

# Several archives one after the other, each compressed in its own way. They begin at multiples of four bytes.
# shellcheck disable=SC2086 # words
packer create first --compress gzip $console
packer create second --compress none --file "/init=$init:0755"
# append FILE...: all of them.
append() {
  for file; do
    cat "$file"
    head -c $((3 - ($(stat -c %s "$file") + 3) % 4)) /dev/zero
  done
}
append first second >several

# What comes later counts.
printf '#!/bin/sh\nexit 7\n' >other-init
packer create other --compress gzip --file /init=other-init:0755
append other gzip >overriding
