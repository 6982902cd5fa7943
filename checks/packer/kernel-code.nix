# packer judges images, most of them damaged, as the kernel's own code does, which runs here as a program of the host: what both accept,
# they unpack to the same files, and what the kernel refuses, `packer verify` names.
#
# packer may be stricter, to find damage: reader/mod.rs lists where.
{ linux, products, toolchain, repositoryFiles }:
toolchain.run "kernel-code"
{
  linux = linux.tree;
  code = ./kernel-code;
  corpus = repositoryFiles "corpus" [ "packer/fuzz/corpus/reader" ];
  PATH = "${products.packer}/bin:${toolchain.cc}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "kernel-code.sh" ''
    mkdir -p include/linux
    cp -r $linux/include/linux/decompress $linux/include/linux/lzo.h $linux/include/linux/crc32poly.h include/linux
    # What the sources include beside these is in kernel.h. The C library has its own linux/types.h.
    (cd $linux; cat init/initramfs.c lib/decompress.c lib/decompress_bunzip2.c lib/decompress_unlzma.c lib/decompress_unlzo.c \
      lib/lzo/lzo1x_decompress_safe.c include/linux/decompress/mm.h) |
      sed -n 's#^\# *include <linux/\([a-z0-9_]*\.h\)>.*#\1#p' | sort -u |
      while read -r header; do [ -e include/linux/$header ] || : > include/linux/$header; done
    echo '#include_next <linux/types.h>' > include/linux/types.h
    : > include/do_mounts.h
    # The rest is about where the image comes from.
    sed '/^static int __initdata do_retain_initrd;/,$d' $linux/init/initramfs.c > initramfs.c
    sed '/^#error "conflicting endian definitions"/d' $linux/lib/lzo/lzodefs.h > lzodefs.h
    for source in decompress decompress_bunzip2 decompress_unlzma decompress_unlzo lzo/lzo1x_decompress_safe; do
      cp $linux/lib/$source.c $(basename $source).c
      gcc -O1 -w -include $code/kernel.h -I include -I . -c $(basename $source).c
    done
    gcc -O1 -w -I include -I $code -I . -o unpack $code/unpack.c *.o

    mkdir -p tree/d
    echo 'two names' > tree/d/a
    ln tree/d/a tree/d/b
    ln -s a tree/d/link
    head -c 700 $code/unpack.c > tree/d/file
    for compression in none bzip2 lzma; do packer create image-$compression --tree tree --compress $compression; done
    cp $corpus/packer/fuzz/corpus/reader/lzo image-lzo
    chmod +w image-lzo
    packer create image-two --onto image-lzo --onto image-bzip2 --tree tree --compress lzma

    wrong() { echo "$name: $*"; failed=true; }
    # An image of the files, whatever their modes are.
    files() { chmod -R u=rwX,go= $1; packer create $1.cpio --tree $1 --compress none; }
    # judge: what the kernel and packer make of `image`. Counts whether it is right for both.
    judge() {
      rm -rf kernel packer
      mkdir kernel
      kernel=right packer=right
      ./unpack image kernel > message || kernel=wrong
      packer verify image > verdict 2>&1 || packer=wrong
      [ -s verdict ] || wrong "packer says nothing"
      case $kernel-$packer in
        wrong-right) wrong "the kernel says '$(cat message)', and packer: $(cat verdict)" ;;
        right-right)
          # It fails for devices.
          if packer extract image packer 2>/dev/null && files kernel 2>/dev/null && files packer; then
            cmp kernel.cpio packer.cpio || wrong "the kernel unpacks other files than packer"
            compared=$((compared + 1))
          fi ;;
      esac
      judged=$((judged + 1))
    }
    failed=false judged=0 compared=0
    for name in image-*; do
      size=$(stat -c %s $name)
      cp $name image
      judge
      [ $kernel-$packer = right-right ] || wrong "is damaged from the start: $(cat message verdict)"
      step=$((size / 100 + 1)) at=0
      while [ $at -lt $size ]; do
        head -c $at $name > image
        judge
        # Another byte in the place of this one, and one more.
        for tail in 2 1; do
          { head -c $at $name; printf '\001'; tail -c +$((at + tail)) $name; } > image
          judge
        done
        at=$((at + step))
      done
      echo "$name: $judged images so far, $compared of them right for both" | tee -a $out
    done
    # The comparison must not be empty.
    [ $compared -gt 50 ] && [ $failed = false ]
  '')
