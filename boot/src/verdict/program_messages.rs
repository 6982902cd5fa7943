//! The table of error messages that programs print before they end, with advice.

/// An error message.
struct Row {
    /// A part of the line.
    part: &'static str,
    help: &'static str,
}

const fn row(part: &'static str, help: &'static str) -> Row {
    Row { part, help }
}

const PACK_LIBRARY: &str = "Pack that library where the loader looks for it (`ldd` on the host lists all libraries and their paths), or \
                            link the program statically.";

#[rustfmt::skip] // A table.
const MESSAGES: &[Row] = &[
    // glibc's elf/rtld.c, sysdeps/x86/dl-load.h; musl's ldso/dynlink.c
    row("CPU ISA level is lower than required",
        "That library was built for newer CPUs (x86-64-v2, -v3, ...). Emulate a newer CPU (--cpu max), or pack a library for the \
         baseline x86-64."),
    row("error while loading shared libraries", PACK_LIBRARY),
    row("Error loading shared library", PACK_LIBRARY),
    row("Error relocating ",
        "A library is missing (then a line above names it), or it has another version than the one that the program was linked with. Pack the \
         right one, or link the program statically."),
    row("version `GLIBC_",
        "The libc in the initramfs is older than the program. Pack the libc that the program was built with, or link it statically."),
    row("kernel too old", "The libc requires a newer kernel. Boot a newer kernel, or pack an older libc."),
    // sysdeps/nptl/futex-internal.h
    row("The futex facility returned an unexpected error code",
        "The program uses threads or locks, and this kernel lacks futex(2). Build the kernel with CONFIG_FUTEX=y (mkKernel: the \
         fragment `userland`)."),
    // busybox' libbb/appletlib.c
    row("applet not found",
        "The link to busybox has the name of a program that this busybox does not have (`busybox --list` lists those that it has). Build \
         busybox with that program, or use another one."),
    // busybox' util-linux/mount.c
    row("mount: mounting ",
        "That mount failed. \"No such file or directory\": the device or the directory is not there (a missing driver, or /dev without devtmpfs). \"No such \
         device\": the kernel has no driver for this file system. \"Invalid argument\": the device has another file system, or an option is wrong."),
    // Go's runtime/panic.go, runtime/os_linux.go
    row("runtime: failed to create new OS thread", "Go needs threads: clone(2), futex(2) and epoll(7). Build the kernel with them (mkKernel: the fragment `userland`)."),
    row("fatal error: ", "A Go program exits with status 2 after a fatal error. The message says what the error was."),
    row("runtime: epoll", "Go's runtime needs epoll(7). Build the kernel with CONFIG_EPOLL=y (mkKernel: the fragment `userland`)."),
    row("goroutine ", "A Go program exits with status 2 when it panics. The line with \"panic: \" above says why."),
    row("panic: ", "A Go program exits with status 2 when it panics. The message says why, and the list of goroutines where."),
    // glibc's sysdeps/unix/sysv/linux/x86/cpu-features.c, csu/libc-start.c
    row("Fatal glibc error: CPU does not support x86-64-v",
        "The libc was built for newer CPUs. Emulate a newer CPU (QEMU: -cpu max, boot: --cpu max), or pack a libc for the baseline x86-64."),
    row("Fatal glibc error", "glibc cannot work on this kernel or CPU; its message says what is missing."),
    row("Function not implemented", "The kernel lacks a system call that the program needs. The small kernel has few: build it with more (mkKernel: the fragment \
         `userland`), or look up which of its options adds the call."),
    row("can't access tty; job control turned off", "This message is harmless: the shell has no controlling terminal. The shell probably exited because its \
         input ended (stdin is not a console), and PID 1 must never exit."),
    // library/std/src/panicking.rs
    row("panicked at ", "A Rust program exits with status 101 when it panics. The message says where and why."),
    // initramfs-tools' scripts/functions
    row(PANIC_OPTION,
        "The initramfs could not mount the root file system, or failed before that; its lines above say why. It restarted because \
         the kernel's command line has panic=; boot adds panic=-1. --append panic= (with no value) makes it start its emergency shell instead."),
    row("Halting automatically due to panic= boot argument",
        "The initramfs could not mount the root file system, or failed before that; its lines above say why. It halted because \
         the kernel's command line has panic=. --append panic= (with no value) makes it start its emergency shell instead."),
];

/// The message of an initramfs of initramfs-tools before it restarts.
const PANIC_OPTION: &str = "Rebooting automatically due to panic= boot argument";

/// Whether the lines report that the initramfs failed and restarts the machine.
pub fn gave_up(lines: &[String]) -> bool {
    lines.iter().any(|line| line.contains(PANIC_OPTION))
}

/// Advice for a program that ended with these lines; the last known line counts.
pub fn help(lines: &[String]) -> Option<&'static str> {
    let row = |line: &String| MESSAGES.iter().find(|row| line.contains(row.part));
    lines.iter().rev().find_map(row).map(|row| row.help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_anywhere_in_a_line() {
        let help = |line: &str| help(&[line.to_owned()]);
        for (line, part) in [
            (
                "/lib/libc.so.6: CPU ISA level is lower than required",
                "--cpu max",
            ),
            (
                "/init: error while loading shared libraries: libfoo.so.1: cannot open shared object file: No such file or directory",
                "`ldd`",
            ),
            (
                "/init: /lib/libc.so.6: version `GLIBC_2.38' not found (required by /init)",
                "older than the program",
            ),
            ("FATAL: kernel too old", "newer kernel"),
            ("thread 'main' panicked at src/main.rs:83:52:", "Rust"),
            (PANIC_OPTION, "--append panic="),
        ] {
            assert!(help(line).is_some_and(|help| help.contains(part)), "{line}");
        }
        assert_eq!(help("Hello, world!"), None);
    }
}
