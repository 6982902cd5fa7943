# The kernel unpacks what packer writes, in every compression. In the guest, busybox prints the root file system in the format of
# `packer list --sha256`, and the check compares that with what packer lists.
{ products, toolchain, target, examples, mkBoot }:
let
  compressions = [ "none" "gzip" "zstd" "xz" "bzip2" "lzma" ];

  inherit (toolchain) busybox run tools;
  inherit (examples.busybox) kernel;

  # Without /proc, busybox's shell runs only those applets directly that need no new process image. The others need `busybox NAME`.
  guest = builtins.toFile "guest.sh" ''
    #!/bin/busybox sh
    # As packer's `escape` does.
    escape() {
      printf %s "$1" | busybox od -An -v -tu1 | awk '{ for (i = 1; i <= NF; i++)
        printf(($i < 32 || $i > 126) ? "\\x%02x" : $i == 92 ? "\\\\" : "%c", $i) }'
    }
    describe() {
      path=$1 size=0 sum=- target=
      set -- $(stat -c '%A %u:%g %Y %s %t %T' "$path")
      case $1 in
        -*) size=$4 sum=$(sha256sum <"$path" | cut -c -64) ;;
        l*) size=$4 target=" -> $(escape "$(readlink "$path")")" ;;
        [bc]*) size=$((0x$5)),$((0x$6)) ;;
      esac
      echo "$1 $2 $size $3 $sum $(escape "$path")$target"
    }
    busybox dmesg -n 1 # the kernel is not to interrupt
    echo "== begin =="
    find / -print0 | while IFS= read -r -d "" path; do describe "$path"; done
    stat -c '%h names: %n' /links/a
    echo "== end =="
    busybox sleep 60
  '';

  # The kernel makes /, /dev and /root, with these modes, before it unpacks anything.
  list = ''
    dir / 0755 0 0
    dir /dev 0755 0 0
    dir /root 0700 0 0
    file /init ${guest} 0755 0 0
    dir /bin 0755 0 0
    file /bin/busybox ${busybox}/bin/busybox 0755 0 0
    dir /modes 0000 0 0
    dir /modes/private 0700 1 2
    dir /modes/tmp 1777 0 0
    file /modes/suid ${guest} 4755 1000 100
    file /modes/nobody ${guest} 0000 4294967294 4294967294
    dir /links 02755 0 0
    file /links/a ${guest} 0644 0 0 /links/b /links/c
    slink /links/absolute /bin/busybox 0777 0 0
    slink /links/relative ../init 0777 1000 100
    slink /links/dangling nowhere/at/all 0777 0 0
    dir /special 0755 0 0
    nod /special/char 0600 0 0 c 4095 1048575
    nod /special/block 0660 0 6 b 259 70000
    pipe /special/fifo 0622 0 0
    sock /special/socket 0755 0 0
  '';
in
run "unpack"
{
  inherit compressions list;
  # A compressed file that is longer than the blocks that packer compresses separately.
  incompressible = toolchain.debs.coreutils;
  SOURCE_DATE_EPOCH = 1234567890;
  PATH = "${mkBoot { inherit kernel target; }}/bin:${products.packer}/bin:${tools}/bin";
}
  (builtins.toFile "unpack.sh" ''
    printf %s "$list" > list
    # What the list's format has no words for: names.
    repeat() { head -c "$1" /dev/zero | tr '\0' "$2"; }
    mkdir -p tree/names tree/sizes
    cd tree/names
    for name in ' a  b ' "$(printf 'new\nline')" "$(printf '\377\376\t\033')" 'back\slash\n' '-n' "'\"*?" 'a -> b' 'TRAILER!!!' \
      "$(repeat 255 n)"; do
      printf %s "$name" > "./$name"
    done
    deep=$(repeat 255 d | sed 's#.*#&/&/&/&/&/&/&/&/&/&/&/&/&/&/&#')
    mkdir -p "$deep"
    ln -s "$(repeat 4095 t)" "$deep/link"
    cd ../..
    for size in 0 1 2 3 4 5 4095 4096 4097 1048575 1048577; do head -c $size $incompressible > tree/sizes/$size; done
    cp $incompressible tree/sizes/all

    # Some of it as it must be, in case packer reads as wrongly as it writes.
    cat > asked <<'ASKED'
    drwxrwxrwt 0:0 0 1234567890 - /modes/tmp
    brw-rw---- 0:6 259,70000 1234567890 - /special/block
    lrwxrwxrwx 1000:100 7 1234567890 - /links/relative -> ../init
    3 names: /links/a
    ASKED

    # A file's contents come with the last of its names, $1, and `packer list` has no size and no hash for the others.
    all_names() {
      awk -v last="$1" '
        { line[NR] = $0 }
        $6 == last { size = $3; sum = $5 }
        END { for (i = 1; i <= NR; i++) {
          if (split(line[i], field, " ") && field[3] == "-") sub(/ - [0-9]+ - /, " " size " " field[4] " " sum " ", line[i])
          print line[i]
        } }'
    }
    for compression in $compressions; do
      packer create image --list list --tree tree --compress $compression
      { packer list --sha256 image | all_names /links/c; echo "3 names: /links/a"; } | sort > expected
      boot --accel tcg --initrd image --expect '== end ==' --timeout 120 --log log </dev/null >console
      # /dev/console is the kernel's own, and as old as what was last written to it.
      tr -d '\r' <log | sed '1,/^== begin ==$/d; /^== end ==$/,$d' | grep -v ' /dev/console$' | sort > found
      diff expected found || { echo "$compression: packer says (-), the kernel made (+)"; exit 1; }
      if grep -vxFf found asked; then echo "$compression: not there"; exit 1; fi
      echo "$compression: $(wc -l <found) lines are the same"
      cat log >> $out
    done
  '')
