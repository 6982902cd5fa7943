//! A cause in words: a sentence, an explanation and advice, for a reader who sees it for the first time.

use std::fmt;

use crate::verdict::diagnosis::Cause;
use crate::verdict::signal;

impl fmt::Display for Cause {
    /// The sentence.
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
    /// The explanation, if the sentence needs one.
    pub fn meaning(&self) -> Option<String> {
        let meaning = match self {
            Cause::UnpackingFailed { reason } => unpacking(reason).meaning.to_owned(),
            Cause::NoRoot => "it used no initramfs, or found no init in it".to_owned(),
            Cause::InitNotStarted { error, .. } => match exec(*error) {
                Some(row) => format!("{} (error -{error}, {})", row.meaning, row.name),
                None => format!("error -{error}"),
            },
            Cause::InitExited { status } => match exit_status(*status) {
                Some(row) => row.meaning.to_owned(),
                None => "PID 1 must never exit".to_owned(),
            },
            Cause::InitKilled { signal, .. } => signal::signal(*signal)?.meaning.to_owned(),
            Cause::NoConsole => "its output is lost".to_owned(),
            _ => return None,
        };
        Some(meaning)
    }

    /// The advice.
    pub fn help(&self) -> &'static str {
        match self {
            Cause::UnpackingFailed { reason } => unpacking(reason).help,
            Cause::NoInit { .. } => {
                "The initramfs must have the file /init at its top level; a dangling link does not count. `cpio -t` lists the \
                 files. The archive may also be truncated: the kernel does not report that if it is not compressed."
            }
            Cause::InitramfsIgnored => {
                "The kernel was probably built without CONFIG_BLK_DEV_INITRD=y. If not, one of its messages with \"initrd\" \
                 says why it rejected the initramfs."
            }
            Cause::NoRoot => {
                "Either the kernel was built without CONFIG_BLK_DEV_INITRD=y, or the initramfs has no /init, and the kernel \
                 looked for a disk instead."
            }
            Cause::InitNotStarted { error, .. } => {
                exec(*error).map_or("errno(3) explains the error.", |row| row.help)
            }
            Cause::InitExited { status } if exit_status(*status).is_some() => {
                exit_status(*status).map_or("", |row| row.help)
            }
            Cause::InitExited { .. } => {
                "The kernel panics when PID 1 ends. At its end, let init wait forever (pause(2) in a loop) or power off \
                 (reboot(2))."
            }
            Cause::InitKilled { signal, .. } => signal::signal(*signal)
                .map_or("signal(7) explains the signal.", |signal| signal.help),
            Cause::Panic { .. } => "Read the kernel's messages before the panic.",
            Cause::Oops => {
                "The kernel has a bug, or its configuration is wrong; a correct kernel survives every program. The line with \
                 RIP: (on other CPUs, pc:) has the address. scripts/decode_stacktrace.sh in the kernel's sources translates it \
                 into a line of C; it needs the unstripped vmlinux."
            }
            Cause::Lockup => {
                "The stack trace below the message shows the code that the CPU was running. On a very busy host the guest may \
                 only have been slow."
            }
            Cause::HungTask => {
                "The stack trace below the message shows the code in which the process waits, for a device or a lock."
            }
            Cause::OutOfMemory => {
                "Give the guest more memory with --memory, or make the initramfs smaller: the kernel holds its files in memory, \
                 and the packed archive as well until it has unpacked it."
            }
            Cause::NoConsole => {
                "Add the character device 5:1 to the initramfs as /dev/console (packer: --node /dev/console=c:5:1:0600)."
            }
        }
    }
}

/// An exit status with a common meaning.
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
        meaning: "a Rust program exits with this status when it panics",
        help: "The panic's message says where and why. Look for it among the kernel's messages.",
    },
    ExitStatus {
        status: 126,
        meaning: "a shell exits with this status when it cannot execute a program",
        help: "The program's mode has no x, or it is a directory, or it is for another architecture, or its interpreter is missing.",
    },
    ExitStatus {
        status: 127,
        meaning: "a loader exits with this status when it does not find a library, a shell when it does not find a command",
        help: "The last lines name the library or the command. Pack it, or link the program statically.",
    },
];

/// Why the kernel could not unpack the initramfs.
struct Unpacking {
    /// A part of the kernel's message.
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

const TRUNCATED: &str = "it is cut short";
const TRUNCATED_HELP: &str = "Build it again, and check it with `gzip -t` or the like. A full disk or an interrupted download leaves a truncated file.";
const DAMAGED: &str = "some of its bytes have changed";
const DAMAGED_HELP: &str = "Build it again, and compare its checksum where it is built with its checksum where it is booted.";
const FOREIGN: &str =
    "it is neither a newc archive nor compressed in a format that the kernel knows";
const FOREIGN_HELP: &str = "Check the file for other data before the archive, after it or instead of it. An initramfs may consist of several \
                            archives with only zeros between them. lz4 must use its legacy format (lz4 -l).";
const DECODING: &str = "some of its bytes have changed, or something follows it";
const DECODING_HELP: &str = "If zeros follow an archive in lz4's legacy format, the kernel takes them for another block: remove them, put the \
                             padded archive last, or use another compression. If not, build the initramfs again.";
const NO_MEMORY: &str = "there is no memory left for it";
const NO_MEMORY_HELP: &str = "Give the guest more memory with --memory: the kernel holds the packed archive and the unpacked files.";

/// The messages of `init/initramfs.c` and `lib/decompress_*.c`, from special to general.
#[rustfmt::skip] // A table.
const UNPACKING: &[Unpacking] = &[
    unpacking_row("not configured", "this kernel cannot decompress it",
        "Compress the initramfs in a format that the kernel supports (usually gzip), or build the kernel with support for this \
         format: CONFIG_RD_GZIP, CONFIG_RD_ZSTD, CONFIG_RD_XZ, ..."),
    unpacking_row("incorrect cpio method", "it is an archive, but not in newc format", "Build it with packer or `cpio -o -H newc`."),
    unpacking_row("invalid magic at start", FOREIGN, FOREIGN_HELP),
    unpacking_row("wrong magic bytes", FOREIGN, FOREIGN_HELP),
    unpacking_row("Not a gzip file", FOREIGN, FOREIGN_HELP),
    unpacking_row("not supported by this", "it is compressed with settings that the kernel does not know", "Run xz with --check=crc32, the only check that the kernel supports."),
    unpacking_row("too large a window", "it is compressed with settings that take too much memory", "Run zstd with a lower level, and without --ultra and --long."),
    unpacking_row("Out of memory", NO_MEMORY, NO_MEMORY_HELP),
    unpacking_row("ran out of memory", NO_MEMORY, NO_MEMORY_HELP),
    unpacking_row("Could not allocate", NO_MEMORY, NO_MEMORY_HELP),
    unpacking_row("write error", NO_MEMORY, NO_MEMORY_HELP),
    unpacking_row("read error", TRUNCATED, TRUNCATED_HELP),
    unpacking_row("unexpected EOF", TRUNCATED, TRUNCATED_HELP),
    unpacking_row("ends unexpectedly", TRUNCATED, TRUNCATED_HELP),
    unpacking_row("truncated", TRUNCATED, TRUNCATED_HELP),
    unpacking_row("incomplete", TRUNCATED, TRUNCATED_HELP),
    unpacking_row("Decoding failed", DECODING, DECODING_HELP),
    unpacking_row("junk at the end", "the archive does not end where its compression does", TRUNCATED_HELP),
    unpacking_row("", DAMAGED, DAMAGED_HELP),
];

/// Why the kernel could not execute a file.
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

/// The errors of `fs/exec.c` and `fs/binfmt_*.c`.
#[rustfmt::skip] // A table.
const EXEC: &[Exec] = &[
    exec_row(2, "ENOENT", "its interpreter is not in the initramfs",
        "A dynamically linked program needs its loader (`readelf -l` names it) and its libraries; a script needs the program after \
         its #!. Pack these, or link the program statically (gcc: -static, Rust: a musl target)."),
    exec_row(5, "EIO", "it is cut short", "Copy or build it again."),
    exec_row(8, "ENOEXEC", "it is for another architecture, or not a program",
        "`file` says what it is. A script needs a first line with #! and a kernel with CONFIG_BINFMT_SCRIPT=y. On a 64-bit kernel, a \
         32-bit program needs CONFIG_IA32_EMULATION=y (arm64: CONFIG_COMPAT=y), and an x32 program needs CONFIG_X86_X32_ABI=y. \
         A 64-bit program needs a 64-bit kernel."),
    exec_row(12, "ENOMEM", "there is no memory left for it", "Give the guest more memory with --memory."),
    exec_row(13, "EACCES", "it is not executable",
        "Its mode has no x (packer: --file /init=FILE:0755), or it is not a regular file, or one of these is true for its \
         interpreter."),
    exec_row(14, "EFAULT", "its addresses are not valid for a program", "Link it for user space of this architecture."),
    exec_row(22, "EINVAL", "its ELF headers contradict one another", "`readelf -lW` shows them. Link it again."),
    exec_row(26, "ETXTBSY", "a process still has it open for writing", "Close the file before it is executed."),
    exec_row(40, "ELOOP", "it is a symbolic link that leads back to itself", "Point the link to a file."),
    exec_row(80, "ELIBBAD", "its interpreter is for another architecture, or not a program", "Pack the loader that the program was linked for (`readelf -l` names it)."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_of_a_failed_unpacking_has_its_meaning() {
        // From the kernel's sources.
        for (reason, meaning) in [
            (
                "compression method zstd not configured",
                "this kernel cannot decompress it",
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
            ("read error", TRUNCATED),
            ("write error", NO_MEMORY),
            ("Out of memory while allocating workspace", NO_MEMORY),
            ("Data integrity error when decompressing.", DAMAGED),
            ("Compressed file ends unexpectedly", TRUNCATED),
            ("unexpected EOF", TRUNCATED),
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
            ("ZSTD-compressed data is truncated", TRUNCATED),
            (
                "ZSTD-compressed data has an incomplete frame header",
                TRUNCATED,
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
    fn the_advice_for_enoexec_names_the_kernel_options_for_other_word_sizes() {
        let help = exec(8).map_or("", |row| row.help);
        for part in ["IA32_EMULATION", "X86_X32_ABI", "needs a 64-bit kernel"] {
            assert!(help.contains(part), "{help}");
        }
    }

    #[test]
    fn exit_statuses_have_their_meanings() {
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
    fn an_unknown_error_or_signal_is_shown_by_its_number() {
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
