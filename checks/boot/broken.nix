# `boot` gives the right verdict for every kind of broken image. The images boot in QEMU, because recorded logs alone do not show
# what `boot` tells a user.
#
# A row has an image with a fault, and what boot has to say about it:
#
#   init     what PID 1 does, in C without a libc (broken/init.h), or
#   image    the shell code that makes the file `initramfs`, and perhaps one called `kernel` (broken/make.sh)
#   options  for boot [default: none]
#   target   of nix/targets.nix [default: x86_64]
#   kind     of the verdict, in the report
#   code     boot's exit code [default: 1]
#   says     a part of the sentence
#   warns    a part of the warning before the boot [default: there is no warning]
#   nightly  true if the row needs one of `kernels`
#
# `kernels` are kernels by name that only the nightly checks build: with them the check consists of the nightly rows, without them of
# all others.
#
# Our small kernel cannot produce some faults, so no row has them: lockups and hung tasks (it has no detectors), a missing root file
# system (it has no block devices), and other panics. boot's own tests have their messages, copied from the kernel's sources.
{ products, guestSystems, targets, toolchain, mkBoot, kernels ? { } }:
let
  inherit (builtins) attrNames filter foldl' listToAttrs;
  inherit (toolchain) cc run tools;

  # The offset of the first block in a gzip archive: without a file name, the header has 10 bytes.
  firstBlock = "10";
  hello = ''print("Hello, world!\n")'';

  rows = {
    # --- init ends ---
    returns = { init = "exit(0)"; kind = "init-exited"; says = "init returned (exit status 0)"; };
    exits = { init = "exit(7)"; kind = "init-exited"; says = "init exited with status 7: PID 1 must never exit"; };
    # The kernel does not restart after a panic.
    stays = { init = "exit(7)"; options = "--append panic=0"; kind = "init-exited"; says = "status 7"; };
    text_and_panic = { init = "${hello}; exit(1)"; kind = "init-exited"; says = "status 1"; };
    # The log shows nothing of the panic, and the machine restarts.
    text_and_silent_panic = { init = "${hello}; exit(1)"; options = "--append loglevel=0"; kind = "reset"; says = ''without a message from its kernel after "Hello, world!" was seen''; };
    text_after_a_while = { init = "${hello}; sleep_ms(400); exit(1)"; options = "--settle 20"; kind = "init-exited"; says = "status 1"; };
    text_and_restart = { init = "${hello}; reboot(RESTART)"; kind = "seen"; code = 0; says = "saw"; };
    segfault = { init = "*(volatile int *)0 = 0"; kind = "init-killed"; says = "SIGSEGV: it accessed memory"; };
    divides = { init = ''__asm__("xor %ecx, %ecx; div %ecx")''; kind = "init-killed"; says = "SIGFPE: it divided by zero"; };
    breakpoint = { init = ''__asm__("int3")''; kind = "init-killed"; says = "SIGTRAP: it ran into a breakpoint"; };
    avx512 = {
      init = ''__asm__("vpxord %zmm0, %zmm0, %zmm0")'';
      kind = "init-killed";
      says = "SIGILL: it executed an instruction this CPU does not have; it was probably built for a newer CPU";
    };
    # The author of the article had this fault. Nothing in the program's source hints at it.
    newer_cpu = {
      image = ''
        compile_with_libc '
          #include <stdio.h>
          #include <unistd.h>
          int main(void) {
            double numbers[64], sum = 0;
            for (int i = 0; i < 64; i++) numbers[i] = getpid() * 1.5 + i;
            for (int i = 0; i < 64; i++) sum += numbers[i] * numbers[i];
            printf("Hello, world! %f\n", sum);
            for (;;) pause();
          }' -static -march=x86-64-v3
        pack init
      '';
      kind = "init-killed";
      says = "SIGILL: it executed an instruction this CPU does not have; it was probably built for a newer CPU";
    };
    newer_cpu_indeed = rows.newer_cpu // { options = "--cpu max"; kind = "seen"; code = 0; says = "saw"; };
    # The kernel does not deliver SIGABRT to PID 1, so glibc ends with a privileged instruction.
    aborts = {
      image = ''
        compile_with_libc '#include <stdlib.h>
          int main(void) { abort(); }' -static
        pack init
      '';
      kind = "init-killed";
      says = "SIGSEGV";
    };

    # --- the kernel repeats its command line, including init's arguments ---
    text_of_the_kernel = { image = "pack_only"; options = "--append '-- \"Hello, world!\"'"; kind = "no-init"; says = "found no init to run"; warns = "/init: is not in the image"; };
    text_of_the_kernel_without_times = {
      init = "wait_for_ever()";
      options = "--stall 5 --append 'printk.time=0 loglevel=8 -- \"Hello, world!\"'";
      kind = "stalled";
      code = 124;
      says = ''before "Hello, world!" was seen'';
    };
    text_anywhere = { init = "wait_for_ever()"; options = "--expect-anywhere 'Run /init as init process'"; kind = "seen"; code = 0; says = "saw"; };

    # --- init does not start ---
    missing = { image = "pack_only"; kind = "no-init"; says = "found no init to run"; warns = "/init: is not in the image"; };
    dangling = { image = "pack_only --symlink /init=/sbin/init"; kind = "no-init"; says = "found no init to run"; warns = "/init: leads to nothing: /init is a symbolic link to /sbin/init, and /sbin is not in the image"; };
    not_executable = { image = "compile 'exit(0)'; pack init 0644"; kind = "init-not-started"; says = "/init: it is not executable (error -13, EACCES)"; warns = "/init: is not executable: its mode is 0644"; };
    directory = { image = "pack_only --dir /init:0755"; kind = "init-not-started"; says = "(error -13, EACCES)"; warns = "/init: is a directory"; };
    another_init = { image = "compile 'exit(0)'; pack_only --file /sbin/init=init:0644"; kind = "init-not-started"; says = "cannot execute /sbin/init"; warns = "/init: is not in the image"; };
    script = { image = "echo '#!/bin/sh' >script; pack script"; kind = "init-not-started"; says = "not a program (error -8, ENOEXEC)"; warns = "/init: is a script for /bin/sh, which is not in the image"; };
    text = { image = "echo 'echo hello' >text; pack text"; kind = "init-not-started"; says = "(error -8, ENOEXEC)"; warns = "/init: is neither an ELF program nor a script"; };
    empty = { image = ": >empty; pack empty"; kind = "init-not-started"; says = "(error -8, ENOEXEC)"; warns = "/init: is empty"; };
    # e_machine: EM_AARCH64.
    other_architecture = { image = "compile 'exit(0)'; patch init 18 '\\267'; pack init"; kind = "init-not-started"; says = "for another architecture"; warns = "/init: is for aarch64 with 64 bits, and the kernel for"; };
    dynamic = { image = "compile_with_libc 'int main(void) {}'; pack init"; kind = "init-not-started"; says = "its interpreter is not in the initramfs (error -2, ENOENT)"; warns = "/init: needs the ELF interpreter"; };
    wrong_loader = {
      image = ''
        compile_with_libc 'int main(void) {}' -Wl,--dynamic-linker,/loader
        head -c 4096 /dev/zero >loader
        pack_only --file /init=init:0755 --file /loader=loader:0755
      '';
      kind = "init-not-started";
      says = "its interpreter is for another architecture, or not a program (error -80, ELIBBAD)";
      warns = "/init: needs the ELF interpreter /loader, which is not an ELF file";
    };
    # The interpreter is there, and libc is not.
    no_library = {
      image = ''
        compile_with_libc 'int main(void) {}'
        loader=$(readelf -lW init | sed -n 's/.*program interpreter: \(.*\)]/\1/p')
        pack_only --file /init=init:0755 --file "$loader=$loader:0755"
      '';
      kind = "init-exited";
      says = "init exited with status 127";
      warns = "/init: needs the library libc.so.6, which is not in ";
    };
    requested = { init = "exit(0)"; options = "--append 'rdinit=/nothing init=/nothing'"; kind = "no-init"; says = "the kernel found no /nothing to run"; warns = "/nothing: is not in the image"; };
    no_console = {
      image = "compile '${hello}; exit(7)'; packer create initramfs --file /init=init:0755 --symlink /dev/console=/nowhere";
      kind = "no-console";
      says = "there is no console for init: its output is lost; then init exited with status 7";
    };
    too_many_options = {
      init = "exit(0)";
      options = ''--append "$(seq 1 40 | tr '\n' ' ')"'';
      kind = "panic";
      says = "kernel panic: Too many boot init vars";
    };

    # --- the archive ---
    truncated = {
      image = ''
        seq 1 100000 >numbers; compile 'exit(0)'
        pack_only --file /init=init:0755 --file /a=numbers
        truncate -s $(($(stat -c %s initramfs) / 2)) initramfs
      '';
      kind = "unpacking-failed";
      says = "(read error): it is cut short; then the kernel found no init to run";
    };
    # The kernel reports no error. Only what is missing shows it.
    truncated_uncompressed = {
      image = ''
        seq 1 100000 >numbers; compile 'exit(0)'
        pack_only --compress none --file /init=init:0755 --file /a=numbers
        truncate -s $(($(stat -c %s initramfs) / 2)) initramfs
      '';
      kind = "no-init";
      says = "found no init to run";
    };
    # Block type 3, which does not exist.
    one_byte = { image = "compile 'exit(0)'; pack init; patch initramfs ${firstBlock} '\\007'"; kind = "unpacking-failed"; says = "(uncompression error): some of its bytes have changed; then"; };
    one_byte_uncompressed = {
      image = "compile 'exit(0)'; pack_only --compress none --file /init=init:0755; patch initramfs 0 '\\061'";
      kind = "unpacking-failed";
      says = "(invalid magic at start of compressed archive): it is neither a newc archive nor";
    };
    garbage_before = { image = "compile 'exit(0)'; pack init; { echo garbage; cat initramfs; } >both; mv both initramfs"; kind = "unpacking-failed"; says = "invalid magic"; };
    garbage_after = { image = "compile 'exit(7)'; pack init; echo garbage >>initramfs"; kind = "unpacking-failed"; says = "then init exited with status 7"; };
    garbage_without_harm = { image = "compile '${hello}; wait_for_ever()'; pack init; echo garbage >>initramfs"; kind = "seen"; code = 0; says = "saw"; };
    # An empty zstd frame. The kernel reads only its first bytes.
    zstd = { image = "printf '\\050\\265\\057\\375\\040\\000\\001\\000\\000' >initramfs"; kind = "unpacking-failed"; says = "(compression method zstd not configured): this kernel cannot decompress it"; };

    # --- memory ---
    fills_memory = { init = "fill_memory()"; kind = "out-of-memory"; says = "the guest ran out of memory"; };
    child_fills_memory = {
      init = "if (fork() == 0) fill_memory(); wait_for_child(); exit(7)";
      kind = "out-of-memory";
      says = "the guest ran out of memory: the kernel killed init";
    };
    too_large_unpacked = { image = "compile 'exit(0)'; truncate -s 150M zeros; pack_only --file /init=init:0755 --file /a=zeros"; kind = "out-of-memory"; says = "the guest ran out of memory"; warns = "the guest has only"; };
    too_large_packed = {
      image = "compile 'exit(0)'; truncate -s 40M zeros; pack_only --compress none --file /init=init:0755 --file /a=zeros";
      options = "--memory 32";
      kind = "qemu-failed";
      code = 125;
      says = "QEMU ended with exit status: 1 before the guest wrote anything";
    };
    too_little = { init = "exit(0)"; options = "--memory 5 --stall 2"; kind = "stalled"; code = 124; says = "the guest wrote nothing"; };

    # --- the guest is gone, or silent ---
    restarts = { init = "reboot(RESTART)"; kind = "restarted"; says = ''the guest restarted before "Hello, world!" was seen''; };
    restarts_quietly = { init = "reboot(RESTART)"; options = "--append loglevel=0"; kind = "reset"; says = "without a message from its kernel"; };
    halts = { init = "reboot(HALT)"; kind = "halted"; says = "the guest halted"; };
    # The small machine cannot power off.
    powers_off = { init = "reboot(POWER_OFF)"; kind = "halted"; says = "the guest halted"; };
    powers_off_indeed = { image = "cp $userland kernel; compile 'reboot(POWER_OFF)'; pack init"; options = "--machine pc"; nightly = true; kind = "powered-off"; says = ''the guest powered off before "Hello, world!" was seen''; };
    triple_fault = { image = "tiny_kernel ud2; compile 'exit(0)'; pack init"; kind = "reset"; says = "without a message from its kernel"; };
    # The device ends QEMU with an exit status that looks like a failure of QEMU.
    debug_exit = {
      image = "tiny_kernel 'mov $16, %eax; out %eax, $0xf4'; compile 'exit(0)'; pack init";
      options = "-- -device isa-debug-exit,iobase=0xf4,iosize=4";
      kind = "guest-exited";
      says = "the guest ended with exit status 33 (16 written to isa-debug-exit) before";
    };
    spins = { image = "tiny_kernel 'jmp _start'; compile 'exit(0)'; pack init"; options = "--stall 1"; kind = "stalled"; code = 124; says = "silent for 1 s"; };
    hangs = { init = "wait_for_ever()"; options = "--stall 5"; kind = "stalled"; code = 124; says = "silent for 5 s before"; };
    # Quiet, because after a second the kernel reports a better clock, on the same line.
    almost = { init = ''print("Hello, world?"); wait_for_ever()''; options = "--stall 5 --append quiet"; kind = "stalled"; code = 124; says = ''the last line was "Hello, world?"''; };
    babbles = { init = ''for (;;) print(".\n")''; options = "--timeout 3"; kind = "timeout"; code = 124; says = ''"Hello, world!" was not seen in 3 s''; };

    # --- the kernel ---
    cannot_read_initramfs = { image = "cp $withoutInitrd kernel; compile 'exit(0)'; pack init"; nightly = true; kind = "initramfs-ignored"; says = "the kernel did not look at the initramfs, and found no init to run"; };
    oops = { image = "kernel_with_a_bug; compile 'getppid()'; pack init"; kind = "oops"; says = "a bug of its own (an oops) at 0x"; };
    # The oops ends only the child, and the text still comes.
    oops_of_a_child = {
      image = "kernel_with_a_bug; compile 'if (fork() == 0) getppid(); wait_for_child(); ${hello}; wait_for_ever()'; pack init";
      kind = "oops";
      says = "a bug of its own (an oops)";
    };
  };

  # --- the other targets ---

  # The rows above that apply to the other targets unchanged.
  same = [ "exits" "segfault" "missing" "text" "one_byte" "fills_memory" "restarts" "hangs" ];
  # An instruction that the target's CPU does not have.
  newer = {
    aarch64 = ".inst 0x04e0e3e0"; # SVE: cntd x0
    riscv64 = ".word 0x0c0072d7"; # V: vsetvli t0, zero, e8, m1, ta, ma
  };
  others = target: listToAttrs (map (name: { inherit name; value = rows.${name}; }) same) // {
    newer_cpu = { init = "__asm__(\"${newer.${target}}\")"; kind = "init-killed"; says = "SIGILL: it executed an instruction this CPU does not have"; };
    # e_machine: EM_X86_64.
    other_architecture = { image = "compile 'exit(0)'; patch init 18 '\\076'; pack init"; kind = "init-not-started"; says = "for another architecture"; warns = "/init: is for x86_64 with 64 bits, and the kernel for ${target}"; };
    # The magic of a bzImage. QEMU does not start, so there is no report.
    other_kernel = {
      image = "compile 'exit(0)'; pack init; truncate -s 4096 kernel; patch kernel 514 HdrS";
      kind = "";
      code = 125;
      says = "kernel: cannot use it as the kernel: it is a bzImage, for x86; the target is ${target}";
    };
  };
  # The rows above that apply to user-mode Linux, and what is different there.
  um = listToAttrs
    (map (name: { inherit name; value = rows.${name}; }) [
      "returns"
      "exits"
      "text_and_panic"
      "text_and_silent_panic"
      "text_and_restart"
      "segfault"
      "text_of_the_kernel"
      "missing"
      "dangling"
      "not_executable"
      "directory"
      "another_init"
      "script"
      "text"
      "empty"
      "other_architecture"
      "dynamic"
      "wrong_loader"
      "requested"
      "no_console"
      "truncated"
      "truncated_uncompressed"
      "one_byte"
      "one_byte_uncompressed"
      "garbage_before"
      "garbage_after"
      "garbage_without_harm"
      "zstd"
      "fills_memory"
      "child_fills_memory"
      "too_large_unpacked"
      "restarts"
      "restarts_quietly"
      "halts"
      "hangs"
      "almost"
      "babbles"
    ]) // {
    powers_off = { init = "reboot(POWER_OFF)"; kind = "powered-off"; says = "the guest powered off"; };
    powers_off_quietly = { init = "reboot(POWER_OFF)"; options = "--append loglevel=0"; kind = "powered-off"; says = "the guest powered off"; };
    too_little = { init = "exit(0)"; options = "--memory 1"; kind = "um-failed"; code = 125; says = "user-mode Linux ended with exit status: 1 before the guest wrote anything"; };
    other_kernel = {
      image = "compile 'exit(0)'; pack init; cp $vmlinux kernel";
      kind = "";
      code = 125;
      says = "kernel: cannot use it as the kernel: it is a kernel for a machine, and the target is um";
    };
  };

  # All rows, those of the others as NAME_TARGET.
  otherRows = builtins.mapAttrs (target: _: others target) newer // { inherit um; };
  all = foldl'
    (all: target: foldl' (all: name: all // { "${name}_${target}" = otherRows.${target}.${name} // { inherit target; }; }) all (attrNames otherRows.${target}))
    rows
    (attrNames otherRows);

  # The fields of a row, each as the variable FIELD_NAME. A row that lacks one, or has one too many, is an error.
  fields = name: { target ? "x86_64", init ? "", image ? "", options ? "", kind, code ? 1, says, warns ? "" }: {
    "target_${name}" = target;
    "init_${name}" = init;
    "image_${name}" = image;
    "options_${name}" = options;
    "kind_${name}" = kind;
    "code_${name}" = toString code;
    "says_${name}" = says;
    "warns_${name}" = warns;
  };
  names = filter (name: (all.${name}.nightly or false) == (kernels != { })) (attrNames all);
in
run "broken"
  (foldl' (variables: name: variables // fields name (removeAttrs all.${name} [ "nightly" ])) { } names // {
    inherit names;
    # Only the kernels. A change of our init or initramfs does not run this check again.
    systems = import ./boots/systems.nix {
      inherit targets toolchain;
      guestSystems = builtins.mapAttrs (name: { kernel, ... }: { inherit kernel; boot = mkBoot { inherit kernel; target = targets.${name}; }; }) guestSystems;
    };
    header = ./broken/init.h;
    tinyKernel = ./broken/kernel.S;
    make = ./broken/make.sh;
    row = ./broken/run.sh;
    inherit (products.kernel) vmlinux;
    symbols = products.kernel.debug;
    PATH = "${products.packer}/bin:${cc}/bin:${tools}/bin";
  } // kernels)
  (builtins.toFile "broken.sh" ''
    echo $names | tr ' ' '\n' | xargs -n 1 -P 2 sh -e $row
    [ ! -e failed ]
    [ "$(cat *.result | wc -l)" = "$(echo $names | wc -w)" ]
    cat *.result >$out
  '')
