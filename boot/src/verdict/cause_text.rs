//! A cause in words: its kind, a sentence, an explanation and advice, for a reader who sees it for the first time.

use crate::verdict::diagnosis::Cause;
use crate::verdict::signal;

/// A cause in words.
#[derive(Debug)]
pub struct Words {
    /// `kind` in the JSON form.
    pub kind: &'static str,
    /// The sentence.
    pub sentence: String,
    /// The explanation, if the sentence needs one.
    pub meaning: Option<String>,
    /// The advice.
    pub help: &'static str,
}

impl Cause {
    /// The cause in words.
    pub fn words(&self) -> Words {
        let words = |kind, sentence: &str, meaning: Option<&str>, help| Words {
            kind,
            sentence: sentence.to_owned(),
            meaning: meaning.map(str::to_owned),
            help,
        };
        match self {
            Cause::UnpackingFailed { reason } => {
                let why = unpacking(reason);
                words(
                    "unpacking-failed",
                    &format!("the kernel could not unpack the initramfs ({reason})"),
                    Some(why.meaning),
                    why.help,
                )
            }
            Cause::NoInit { path } => words(
                "no-init",
                &format!(
                    "the kernel found no {} to run",
                    path.as_deref().unwrap_or("init")
                ),
                None,
                "The initramfs must have the file /init at its top level; a dangling link does not count. `cpio -t` lists the \
                 files. The archive may also be truncated: the kernel does not report that if it is not compressed.",
            ),
            Cause::InitramfsIgnored => words(
                "initramfs-ignored",
                "the kernel did not look at the initramfs, and found no init to run",
                None,
                "The kernel was probably built without CONFIG_BLK_DEV_INITRD=y. If not, one of its messages with \"initrd\" \
                 says why it rejected the initramfs.",
            ),
            Cause::NoRoot => words(
                "no-root",
                "the kernel has no root file system",
                Some("it used no initramfs, or found no init in it"),
                "Either the kernel was built without CONFIG_BLK_DEV_INITRD=y, or the initramfs has no /init, and the kernel \
                 looked for a disk instead.",
            ),
            Cause::InitNotStarted { path, error } => {
                let known = exec(*error);
                let meaning = known.map_or(format!("error -{error}"), |row| {
                    format!("{} (error -{error}, {})", row.meaning, row.name)
                });
                words(
                    "init-not-started",
                    &format!("the kernel cannot execute {path}"),
                    Some(&meaning),
                    known.map_or("errno(3) explains the error.", |row| row.help),
                )
            }
            Cause::InitExited { status } => {
                let known = exit_status(*status);
                let sentence = match status {
                    0 => "init returned (exit status 0)".to_owned(),
                    _ => format!("init exited with status {status}"),
                };
                words(
                    "init-exited",
                    &sentence,
                    Some(known.map_or("PID 1 must never exit", |row| row.meaning)),
                    known.map_or(
                        "The kernel panics when PID 1 ends. At its end, let init wait forever (pause(2) in a loop) or power \
                         off (reboot(2)).",
                        |row| row.help,
                    ),
                )
            }
            Cause::InitKilled { signal, .. } => {
                let known = signal::signal(*signal);
                let name = known.map_or(format!("signal {signal}"), |row| row.name.to_owned());
                words(
                    "init-killed",
                    &format!("init was killed by {name}"),
                    known.map(|row| row.meaning),
                    known.map_or("signal(7) explains the signal.", |row| row.help),
                )
            }
            Cause::Panic { reason } => words(
                "panic",
                &format!("kernel panic: {reason}"),
                None,
                "Read the kernel's messages before the panic.",
            ),
            Cause::Oops => words(
                "oops",
                "the kernel ran into a bug of its own (an oops)",
                None,
                "The kernel has a bug, or its configuration is wrong; a correct kernel survives every program. The line with \
                 RIP: (on other CPUs, pc:) has the address. scripts/decode_stacktrace.sh in the kernel's sources translates it \
                 into a line of C; it needs the unstripped vmlinux.",
            ),
            Cause::Lockup => words(
                "lockup",
                "a CPU was stuck in the kernel (a lockup)",
                None,
                "The stack trace below the message shows the code that the CPU was running. On a very busy host the guest may \
                 only have been slow.",
            ),
            Cause::HungTask => words(
                "hung-task",
                "a process hung in the kernel",
                None,
                "The stack trace below the message shows the code in which the process waits, for a device or a lock.",
            ),
            Cause::OutOfMemory => words(
                "out-of-memory",
                "the guest ran out of memory",
                None,
                "Give the guest more memory with --memory, or make the initramfs smaller: the kernel holds its files in memory, \
                 and the packed archive as well until it has unpacked it.",
            ),
            Cause::NoConsole => words(
                "no-console",
                "there is no console for init",
                Some("its output is lost"),
                "Add the character device 5:1 to the initramfs as /dev/console (packer: --node /dev/console=c:5:1:0600).",
            ),
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
            let words = Cause::InitExited { status }.words();
            assert!(words.meaning.unwrap().contains(part), "{status}");
            assert!(!words.help.is_empty());
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
            let words = cause.words();
            let meaning = words.meaning.map(|meaning| format!(": {meaning}"));
            let meaning = meaning.unwrap_or_default();
            assert_eq!(format!("{}{meaning}", words.sentence), sentence);
            assert!(!words.help.is_empty());
        }
    }
}
