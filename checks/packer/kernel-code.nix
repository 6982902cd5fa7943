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
    mkdir -p include/linux include/asm lib
    # The kernel's own headers of what is compiled here. What the sources include beside these is in kernel.h.
    for header in decompress crc32poly.h lz4.h lzo.h xxhash.h xz.h zconf.h zlib.h zstd.h zstd_errors.h zstd_lib.h zutil.h; do
      cp -r $linux/include/linux/$header include/linux
    done
    for source in lz4 lzo xxhash.c xz zlib_dfltcc zlib_inflate zstd; do cp -r $linux/lib/$source lib; done
    cp $linux/lib/decompress*.c lib
    chmod -R u+w lib
    sed -i '/^#error "conflicting endian definitions"/d' lib/lzo/lzodefs.h
    # The rest is about where the image comes from.
    sed '/^static int __initdata do_retain_initrd;/,$d' $linux/init/initramfs.c > initramfs.c
    find initramfs.c lib include -name '*.[ch]' -exec cat {} + |
      sed -n 's#^\# *\(include\|define [A-Z_]*\) *<\(\(linux\|asm\)/[a-z0-9_]*\.h\)>.*#\2#p' | sort -u |
      while read -r header; do [ -e include/$header ] || : > include/$header; done
    : > include/do_mounts.h
    # The C library has its own of these.
    rm -f include/linux/errno.h include/linux/limits.h include/linux/types.h
    for source in decompress decompress_bunzip2 decompress_inflate decompress_unlz4 decompress_unlzma decompress_unlzo decompress_unxz \
      decompress_unzstd lz4/lz4_decompress lzo/lzo1x_decompress_safe xxhash xz/xz_dec_lzma2 xz/xz_dec_stream zlib_inflate/inffast \
      zlib_inflate/inflate zlib_inflate/inftrees zstd/common/entropy_common zstd/common/error_private zstd/common/fse_decompress \
      zstd/common/zstd_common zstd/decompress/huf_decompress zstd/decompress/zstd_ddict zstd/decompress/zstd_decompress \
      zstd/decompress/zstd_decompress_block zstd/zstd_decompress_module; do
      gcc -O1 -w -D__KERNEL__ -include $code/kernel.h -I include -I lib -c lib/$source.c
    done
    gcc -O1 -w -I include -I $code -I . -o unpack $code/unpack.c *.o

    mkdir -p tree/d
    echo 'two names' > tree/d/a
    ln tree/d/a tree/d/b
    ln -s a tree/d/link
    head -c 700 $code/unpack.c > tree/d/file
    for compression in none bzip2 gzip lzma xz zstd; do packer create image-$compression --tree tree --compress $compression; done
    cp $corpus/packer/fuzz/corpus/reader/lzo image-lzo
    cp $corpus/packer/fuzz/corpus/reader/lz4 image-lz4
    chmod +w image-lzo image-lz4
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
    # lzma data with a size has no end mark. The kernel takes one for junk.
    name=size-and-end-mark
    size=$(stat -c %s image-none)
    { head -c 5 image-lzma; printf "\\$(printf %o $((size % 256)))\\$(printf %o $((size / 256)))\0\0\0\0\0\0"; tail -c +14 image-lzma; } > image
    judge
    [ $kernel-$packer = wrong-wrong ] || wrong "$(cat message verdict)"
    # The comparison must not be empty.
    [ $compared -gt 80 ] && [ $failed = false ]
  '')
