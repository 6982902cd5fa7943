//! What programs say about why they end: the lines that say what is missing, and what to do about it.

/// A line of a program's.
struct Row {
    /// What is in it.
    says: &'static str,
    help: &'static str,
}

const fn row(says: &'static str, help: &'static str) -> Row {
    Row { says, help }
}

#[rustfmt::skip] // A table.
const WORDS: &[Row] = &[
    // glibc's elf/rtld.c, sysdeps/x86/dl-load.h; musl's ldso/dynlink.c
    row("CPU ISA level is lower than required",
        "That library is built for newer CPUs (x86-64-v2, -v3, ...). Emulate one (--cpu max), or take a build for the baseline."),
    row("error while loading shared libraries",
        "Pack that library, too, where the loader looks for it (`ldd` on the host names them all), or link the program statically."),
    row("Error loading shared library",
        "Pack that library, too, where the loader looks for it (`ldd` on the host names them all), or link the program statically."),
    row("Error relocating ",
        "A library in the initramfs is another than the program was linked with. Pack that one, or link the program statically."),
    row("version `GLIBC_",
        "The libc in the initramfs is older than the program. Pack the one that it was built with, or link the program statically."),
    row("kernel too old", "The libc wants a newer kernel than this one. Boot such a kernel, or take an older libc."),
    // sysdeps/nptl/futex-internal.h
    row("The futex facility returned an unexpected error code",
        "Threads and locks take futex(2), which this kernel has not got: CONFIG_FUTEX=y. (Of the kernels made here, the fragment \
         `userland` has it.)"),
    // library/std/src/panicking.rs
    row("panicked at ", "A Rust program ends with status 101 when it panics: the message says where, and why."),
    // initramfs-tools' scripts/functions
    row(PANIC_OPTION,
        "The initramfs gave up on the root file system, or on something before it. It restarts instead of starting its emergency \
         shell because there is a panic= on the kernel's command line, which boot adds, for the kernel. --append panic= (with \
         nothing behind it) gives the shell; its lines above say what was missing."),
    row("Halting automatically due to panic= boot argument",
        "The initramfs gave up on the root file system, or on something before it. It halts instead of starting its emergency \
         shell because there is a panic= on the kernel's command line. --append panic= (with nothing behind it) gives the shell; its \
         lines above say what was missing."),
];

/// What an initramfs of Debian's kind says before it restarts.
const PANIC_OPTION: &str = "Rebooting automatically due to panic= boot argument";

/// Whether an initramfs has said that it restarts the machine because it gave up.
pub fn gave_up(lines: &[String]) -> bool {
    lines.iter().any(|line| line.contains(PANIC_OPTION))
}

/// What to do about a program that has said `line`.
pub fn help(line: &str) -> Option<&'static str> {
    let row = WORDS.iter().find(|row| line.contains(row.says))?;
    Some(row.help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_known_wherever_the_words_are() {
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
