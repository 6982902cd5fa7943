//! What a cause means in words, and what to do about it, for somebody who meets it for the first time.

use std::fmt;

use crate::verdict::diagnosis::Cause;
use crate::verdict::signal;

impl fmt::Display for Cause {
    /// What happened, in short.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::UnpackingFailed { reason } => {
                write!(f, "the kernel could not unpack the initramfs ({reason})")
            }
            Cause::NoInit { path: None } => f.write_str("the kernel found no init to run"),
            Cause::NoInit { path: Some(path) } => write!(f, "the kernel found no {path} to run"),
            Cause::InitramfsIgnored => {
                f.write_str("the kernel did not look at the initramfs, and found no init to run")
            }
            Cause::NoRoot => f.write_str("the kernel has no root file system"),
            Cause::InitNotStarted { path, .. } => write!(f, "the kernel cannot execute {path}"),
            Cause::InitExited { status: 0 } => f.write_str("init returned (exit status 0)"),
            Cause::InitExited { status } => write!(f, "init exited with status {status}"),
            Cause::InitKilled { signal, .. } => match signal::signal(*signal) {
                Some(signal) => write!(f, "init was killed by {}", signal.name),
                None => write!(f, "init was killed by signal {signal}"),
            },
            Cause::Panic { reason } => write!(f, "kernel panic: {reason}"),
            Cause::Oops => f.write_str("the kernel ran into a bug of its own (an oops)"),
            Cause::Lockup => f.write_str("a CPU was stuck in the kernel (a lockup)"),
            Cause::HungTask => f.write_str("a process hung in the kernel"),
            Cause::OutOfMemory => f.write_str("the guest ran out of memory"),
            Cause::NoConsole => f.write_str("there is no console for init"),
        }
    }
}

impl Cause {
    /// What that means, if it does not say so itself.
    pub fn meaning(&self) -> Option<String> {
        let meaning = match self {
            Cause::UnpackingFailed { reason } => unpacking(reason).meaning.to_owned(),
            Cause::NoRoot => "it took no initramfs, or found no init in it".to_owned(),
            Cause::InitNotStarted { error, .. } => match exec(*error) {
                Some(row) => format!("{} (error -{error}, {})", row.meaning, row.name),
                None => format!("error -{error}"),
            },
            Cause::InitExited { status } => match exit_status(*status) {
                Some(row) => row.meaning.to_owned(),
                None => "PID 1 must never exit".to_owned(),
            },
            Cause::InitKilled { signal, .. } => signal::signal(*signal)?.meaning.to_owned(),
            Cause::NoConsole => "what it writes is lost".to_owned(),
            _ => return None,
        };
        Some(meaning)
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Cause::UnpackingFailed { reason } => unpacking(reason).help,
            Cause::NoInit { .. } => {
                "The initramfs must have a file /init at its top (not one directory down), for which a link that leads \
                 nowhere is no substitute. `cpio -t` lists what it has. The end of an archive that is not compressed can \
                 be missing without a word from the kernel."
            }
            Cause::InitramfsIgnored => {
                "It is built without CONFIG_BLK_DEV_INITRD=y, most likely. If not, a line with \"initrd\" says what it had \
                 against it."
            }
            Cause::NoRoot => {
                "Either the kernel cannot read one (CONFIG_BLK_DEV_INITRD=y), or the initramfs has no /init, and so it \
                 looked for a disk to boot from."
            }
            Cause::InitNotStarted { error, .. } => {
                exec(*error).map_or("errno(3) says what that is.", |row| row.help)
            }
            Cause::InitExited { status } if exit_status(*status).is_some() => {
                exit_status(*status).map_or("", |row| row.help)
            }
            Cause::InitExited { .. } => {
                "Nobody is left to run when PID 1 has ended, so the kernel panics. Let it wait for ever when it is done \
                 (pause(2) in a loop), or power off (reboot(2))."
            }
            Cause::InitKilled { signal, .. } => {
                signal::signal(*signal).map_or("signal(7) says what that is.", |signal| signal.help)
            }
            Cause::Panic { .. } => "The lines above the panic say what led to it.",
            Cause::Oops => {
                "That is the kernel's fault, or its configuration's; a program cannot cause it without help. The line \
                 with RIP: (pc: elsewhere) says where; scripts/decode_stacktrace.sh in the kernel's sources turns it into \
                 a line of C, with the vmlinux that has symbols."
            }
            Cause::Lockup => {
                "The stack trace below that line says in what. On a host that is very busy it may have been just slow."
            }
            Cause::HungTask => {
                "The stack trace below that line says for what it waits: a device that does not answer, or a lock."
            }
            Cause::OutOfMemory => {
                "Give it more with --memory, or less to hold: an initramfs takes its size unpacked, and while it is \
                 unpacked its size packed as well."
            }
            Cause::NoConsole => {
                "Put a character device 5:1 at /dev/console into the initramfs (packer: --node /dev/console=c:5:1:0600)."
            }
        }
    }
}

/// An exit status that means the same for most programs.
struct ExitStatus {
    status: u8,
    meaning: &'static str,
    help: &'static str,
}

fn exit_status(status: u8) -> Option<&'static ExitStatus> {
    EXIT_STATUSES.iter().find(|row| row.status == status)
}

const EXIT_STATUSES: &[ExitStatus] = &[
    ExitStatus {
        status: 101,
        meaning: "a Rust program that panics ends so",
        help: "Its message says where and why. It may be lost among the kernel's own on a serial line.",
    },
    ExitStatus {
        status: 126,
        meaning: "a shell ends so when it cannot execute what it has found",
        help: "That has no x in its mode, or is a directory, or for another architecture; or its interpreter is missing.",
    },
    ExitStatus {
        status: 127,
        meaning: "a loader or a shell ends so when it does not find what it is to load or run",
        help: "A loader names the library, a shell the command: pack it, or link the program statically.",
    },
];

/// What the kernel could not do with the initramfs, by a word of its own.
struct Unpacking {
    word: &'static str,
    meaning: &'static str,
    help: &'static str,
}

const fn unpacking_row(word: &'static str, meaning: &'static str, help: &'static str) -> Unpacking {
    Unpacking {
        word,
        meaning,
        help,
    }
}

fn unpacking(reason: &str) -> &'static Unpacking {
    let matches = |row: &&Unpacking| reason.contains(row.word);
    // The last row matches everything.
    UNPACKING
        .iter()
        .find(matches)
        .unwrap_or(&UNPACKING[UNPACKING.len() - 1])
}

const CUT_SHORT: &str = "it is cut short";
const CUT_SHORT_HELP: &str = "Make it again; a full disk or an interrupted download leaves such files. `gzip -t` and the like find it, too.";
const DAMAGED: &str = "some of its bytes have changed";
const DAMAGED_HELP: &str =
    "Make it again, and compare its checksum where it is made and where it is booted.";
const FOREIGN: &str =
    "what is there is neither a newc archive nor compressed in a way that the kernel knows";
const FOREIGN_HELP: &str = "Something else before the archive, after it, or in its place? lz4 needs its legacy format (lz4 -l). Archives may \
                            follow one another, with nothing but zeros between them.";
const DECODING: &str = "some of its bytes have changed, or something follows it";
const DECODING_HELP: &str = "Behind an archive in lz4's legacy format, zeros for padding are taken for one more block: take them away, put \
                             the archive that is padded last, or use another compression. If there are none, make it again.";
const NO_MEMORY: &str = "there is no memory left for it";
const NO_MEMORY_HELP: &str =
    "Give the guest more with --memory: it has to hold the initramfs packed and unpacked.";

/// What `init/initramfs.c` and `lib/decompress_*.c` say, from special to general.
#[rustfmt::skip] // A table.
const UNPACKING: &[Unpacking] = &[
    unpacking_row("not configured", "this kernel cannot decompress that",
        "Compress it in a way that the kernel has been built for (gzip is the usual one), or build that in: CONFIG_RD_GZIP, \
         CONFIG_RD_ZSTD, CONFIG_RD_XZ, ..."),
    unpacking_row("incorrect cpio method", "it is an archive, but not in newc format", "Make it with `cpio -o -H newc`, or packer."),
    unpacking_row("invalid magic at start", FOREIGN, FOREIGN_HELP),
    unpacking_row("wrong magic bytes", FOREIGN, FOREIGN_HELP),
    unpacking_row("Not a gzip file", FOREIGN, FOREIGN_HELP),
    unpacking_row("not supported by this", "it is compressed with settings that the kernel does not know", "xz: --check=crc32; the kernel knows no other check than that."),
    unpacking_row("too large a window", "it is compressed with settings that take too much memory", "zstd: a lower level, without --ultra and --long."),
    unpacking_row("Out of memory", NO_MEMORY, NO_MEMORY_HELP),
    unpacking_row("ran out of memory", NO_MEMORY, NO_MEMORY_HELP),
    unpacking_row("Could not allocate", NO_MEMORY, NO_MEMORY_HELP),
    unpacking_row("write error", NO_MEMORY, NO_MEMORY_HELP),
    unpacking_row("read error", CUT_SHORT, CUT_SHORT_HELP),
    unpacking_row("unexpected EOF", CUT_SHORT, CUT_SHORT_HELP),
    unpacking_row("ends unexpectedly", CUT_SHORT, CUT_SHORT_HELP),
    unpacking_row("truncated", CUT_SHORT, CUT_SHORT_HELP),
    unpacking_row("incomplete", CUT_SHORT, CUT_SHORT_HELP),
    unpacking_row("Decoding failed", DECODING, DECODING_HELP),
    unpacking_row("junk at the end", "the archive does not end where its compression does", CUT_SHORT_HELP),
    unpacking_row("", DAMAGED, DAMAGED_HELP),
];

/// Why a file could not be executed.
struct Exec {
    error: i32,
    name: &'static str,
    meaning: &'static str,
    help: &'static str,
}

const fn exec_row(
    error: i32,
    name: &'static str,
    meaning: &'static str,
    help: &'static str,
) -> Exec {
    Exec {
        error,
        name,
        meaning,
        help,
    }
}

fn exec(error: i32) -> Option<&'static Exec> {
    EXEC.iter().find(|row| row.error == error)
}

/// What `fs/exec.c` and `fs/binfmt_*.c` say.
#[rustfmt::skip] // A table.
const EXEC: &[Exec] = &[
    exec_row(2, "ENOENT", "its interpreter is not in the initramfs",
        "A program that is linked dynamically needs its loader (`readelf -l` names it) and its libraries, a script what stands \
         behind its #!. Link it statically (gcc: -static, Rust: a musl target), or pack those, too."),
    exec_row(5, "EIO", "it is cut short", "Copy or build it again."),
    exec_row(8, "ENOEXEC", "it is for another architecture, or not a program",
        "`file` says what it is. For a script, the kernel needs CONFIG_BINFMT_SCRIPT=y and the script a first line with #!; for a \
         32-bit program on a 64-bit kernel, CONFIG_IA32_EMULATION=y (arm64: CONFIG_COMPAT=y), and for one of x32, \
         CONFIG_X86_X32_ABI=y. A 64-bit program takes a 64-bit kernel."),
    exec_row(12, "ENOMEM", "there is no memory left for it", "Give the guest more with --memory."),
    exec_row(13, "EACCES", "it is not executable",
        "Either its mode has no x (packer: --file /init=FILE:0755), or it is no regular file but a directory, say. The same goes \
         for its interpreter."),
    exec_row(14, "EFAULT", "its addresses are not a program's", "Link it for user space of this architecture."),
    exec_row(22, "EINVAL", "its ELF headers contradict one another", "`readelf -lW` shows them. Link it again."),
    exec_row(26, "ETXTBSY", "somebody still writes it", "Pack it once it is finished."),
    exec_row(40, "ELOOP", "it is a symbolic link that leads back to itself", "Let the link lead to a file."),
    exec_row(80, "ELIBBAD", "its interpreter is for another architecture, or not a program", "Pack the loader that belongs to it (`readelf -l` names it)."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_an_initramfs_is_told_apart() {
        // Each as the kernel's sources have it.
        for (reason, meaning) in [
            (
                "compression method zstd not configured",
                "this kernel cannot decompress that",
            ),
            (
                "incorrect cpio method used: use -H newc option",
                "not in newc format",
            ),
            ("no cpio magic", DAMAGED),
            ("broken padding", DAMAGED),
            ("malformed archive", DAMAGED),
            ("bad data checksum", DAMAGED),
            ("junk within compressed archive", DAMAGED),
            (
                "junk at the end of compressed archive",
                "does not end where",
            ),
            ("decompressor failed", DAMAGED),
            ("invalid magic at start of compressed archive", FOREIGN),
            // gzip, bzip2, lzma, lzo, lz4
            ("uncompression error", DAMAGED),
            ("read error", CUT_SHORT),
            ("write error", NO_MEMORY),
            ("Out of memory while allocating workspace", NO_MEMORY),
            ("Data integrity error when decompressing.", DAMAGED),
            ("Compressed file ends unexpectedly", CUT_SHORT),
            ("unexpected EOF", CUT_SHORT),
            ("LZMA data is corrupt", DAMAGED),
            ("file corrupted", DAMAGED),
            ("Could not allocate output buffer", NO_MEMORY),
            ("data corrupted", DAMAGED),
            ("Decoding failed", DECODING),
            // xz, zstd
            ("XZ decompressor ran out of memory", NO_MEMORY),
            ("Input is not in the XZ format (wrong magic bytes)", FOREIGN),
            (
                "Input was encoded with settings that are not supported by this XZ decoder",
                "settings that the kernel does not know",
            ),
            ("XZ-compressed data is corrupt", DAMAGED),
            ("ZSTD-compressed data is truncated", CUT_SHORT),
            (
                "ZSTD-compressed data has an incomplete frame header",
                CUT_SHORT,
            ),
            (
                "ZSTD-compressed data has too large a window size",
                "take too much memory",
            ),
            ("ZSTD-compressed data is probably corrupt", DAMAGED),
        ] {
            let row = unpacking(reason);
            assert!(row.meaning.contains(meaning), "{reason}: {}", row.meaning);
            assert!(!row.help.is_empty());
        }
    }

    #[test]
    fn a_program_that_is_none_here_may_be_one_for_more_or_fewer_bits() {
        let help = exec(8).map_or("", |row| row.help);
        for part in ["IA32_EMULATION", "X86_X32_ABI", "takes a 64-bit kernel"] {
            assert!(help.contains(part), "{help}");
        }
    }

    #[test]
    fn statuses_say_what_they_say() {
        for (status, part) in [
            (127, "does not find"),
            (126, "cannot execute"),
            (101, "Rust"),
            (7, "must never exit"),
        ] {
            let cause = Cause::InitExited { status };
            assert!(
                cause.meaning().is_some_and(|words| words.contains(part)),
                "{status}"
            );
            assert!(!cause.help().is_empty());
        }
    }

    #[test]
    fn what_nobody_has_heard_of_is_told_all_the_same() {
        for (cause, sentence) in [
            (
                Cause::InitNotStarted {
                    path: "/init".into(),
                    error: 99,
                },
                "the kernel cannot execute /init: error -99",
            ),
            (
                Cause::InitKilled {
                    signal: 34,
                    name: None,
                    fault: None,
                },
                "init was killed by signal 34",
            ),
        ] {
            let meaning = cause
                .meaning()
                .map_or(String::new(), |meaning| format!(": {meaning}"));
            assert_eq!(format!("{cause}{meaning}"), sentence);
            assert!(!cause.help().is_empty());
        }
    }
}
