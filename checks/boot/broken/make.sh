# What the rows of broken.nix make their images with. Sourced by run.sh.

# An initramfs of /init and a console. pack FILE [MODE]
pack() {
  packer create initramfs --file "/init=$1:${2:-0755}" --dir /dev:0755 --node /dev/console=c:5:1:0600
}

# The same without /init, but with what else is asked for. pack_only ENTRY...
pack_only() {
  packer create initramfs --dir /dev:0755 --node /dev/console=c:5:1:0600 "$@"
}

# /init, from the body of its main function in C, which starts without a libc.
compile() {
  printf '#include "%s"\nstatic void body(void) { %s; }\nvoid start(void) { body(); }\n' "$header" "$1" >init.c
  printf '__asm__(".globl _start; _start: " ENTER " start");\n' >>init.c
  "$gcc" -static -nostdlib -fno-builtin -Os -w -o init init.c
}

# /init of x86_64, from a whole program in C, with glibc. compile_with_libc PROGRAM [OPTION...]
compile_with_libc() {
  printf '%s\n' "$1" >init.c
  shift
  gcc -O3 -o init init.c "$@"
}

# Writes bytes, as printf(1) has them, over what FILE has at OFFSET. patch FILE OFFSET BYTES
patch() {
  # shellcheck disable=SC2059 # the bytes are a format, for their escapes
  printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# A kernel of x86_64 that executes INSTRUCTION, and nothing after it.
tiny_kernel() {
  gcc -m32 "-DINSTRUCTION=$1" -c "$tinyKernel" -o kernel.o
  ld -m elf_i386 -Ttext=0x100000 -o kernel kernel.o
}

# Our kernel of x86_64 with a bug: the system call getppid(2) writes to address 0.
kernel_with_a_bug() {
  cp "$vmlinux" kernel
  chmod u+w kernel
  address=$(nm "$symbols" | awk '$3 == "__x64_sys_getppid" { print $1 }')
  # The first segment has the kernel's text: its offset in the file, and its address.
  # shellcheck disable=SC2046 # two words
  set -- $(readelf -lW kernel | awk '$1 == "LOAD" { print $2, $3; exit }')
  # movl $0, 0. Of addresses only the low half, which is the same arithmetic in fewer bits.
  patch kernel $((0x${address#????????} - 0x${2#0x????????} + $1)) '\307\004\045\000\000\000\000\000\000\000\000'
}
