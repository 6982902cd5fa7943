//! Messages about the start and the end of init.

use super::{Cause, Row, Words, row};
use crate::verdict::signal::{self, End};

pub(super) const MESSAGES: &[Row] = &[
    row("Failed to execute ", not_started_words, "init/main.c"),
    row("Starting init: ", not_started_words, "init/main.c"),
    row("Default init ", not_started_if_there, "init/main.c"),
    row(
        "check access for rdinit=",
        not_there,
        "init/main.c, since 6.17",
    ),
    row(
        "Warning: unable to open an initial console.",
        |_| Some(Cause::NoConsole),
        "init/main.c",
    ),
];

pub(super) const PANICS: &[Row] = &[
    // "init" follows; output of a program may be mixed into it.
    row("Attempted to kill ", ended, "kernel/exit.c"),
    row(
        "No working init found.",
        |_| Some(Cause::NoInit { path: None }),
        "init/main.c",
    ),
    // Before 3.18.
    row(
        "No init found.",
        |_| Some(Cause::NoInit { path: None }),
        "init/main.c, until 3.17",
    ),
    row("Requested init ", not_started_if_there, "init/main.c"),
];

/// Whether `message` reports the instruction at which PID 1 caused a fault.
pub fn is_fault_of_init(message: &str) -> bool {
    // arch/x86/kernel/traps.c and arch/x86/mm/fault.c: "traps: NAME[PID] trap invalid opcode ip:",
    // "NAME[PID]: segfault at "; arch/arm64/kernel/traps.c, arch/riscv/kernel/traps.c: "NAME[PID]: unhandled ".
    (message.starts_with("traps: ") && message.contains("[1] "))
        || message.contains("[1]: segfault at ")
        || message.contains("[1]: unhandled ")
}

/// `PATH ... (error -ERRNO)`.
fn not_started_words(rest: &str) -> Option<Cause> {
    let (before, error) = rest.rsplit_once("(error -")?;
    let path = [" exists but", " failed"]
        .iter()
        .find_map(|end| Some(before.rsplit_once(end)?.0))
        .unwrap_or(before);
    Some(Cause::InitNotStarted {
        path: path.trim().to_owned(),
        error: error.split(')').next()?.parse().ok()?,
    })
}

/// The same for a file that the kernel has not looked for before. Here ENOENT probably means that the
/// file is missing; after a check for the file it means that its interpreter is missing.
fn not_started_if_there(rest: &str) -> Option<Cause> {
    not_started_words(rest).map(|cause| match cause {
        Cause::InitNotStarted { path, error: 2 } => Cause::NoInit { path: Some(path) },
        cause => cause,
    })
}

/// `PATH failed: -ERRNO, ignoring`
fn not_there(rest: &str) -> Option<Cause> {
    let path = rest.rsplit_once(" failed: -")?.0.to_owned();
    Some(Cause::NoInit { path: Some(path) })
}

/// `init! exitcode=0x` and eight hexadecimal digits of `wait(2)` status.
pub fn ended(rest: &str) -> Option<Cause> {
    let (_, digits) = rest.split_once("! exitcode=0x")?;
    // The line may still be incomplete.
    let status = u32::from_str_radix(digits.get(..8)?, 16).ok()?;
    Some(match End::from_wait_status(status) {
        End::Exited(status) => Cause::InitExited { status },
        End::Killed(signal) => Cause::InitKilled {
            signal,
            name: signal::signal(signal).map(|signal| signal.name),
            fault: None,
        },
    })
}

pub(super) fn none(path: Option<&str>) -> Words {
    Words::new(
        "no-init",
        format!("the kernel found no {} to run", path.unwrap_or("init")),
        "The initramfs must have the file /init at its top level, or the file that rdinit= names; a dangling link does not count. \
         `packer list` or `cpio -t` lists the files. The archive may also be truncated, which the kernel does not report for an uncompressed \
         archive. Without an initramfs, the root file system must have /sbin/init, or the file that init= names.",
    )
}

pub(super) fn not_started(path: &str, error: i32) -> Words {
    let known = exec(error);
    let meaning = known.map_or(format!("error -{error}"), |row| {
        format!("{} (error -{error}, {})", row.meaning, row.name)
    });
    Words::new(
        "init-not-started",
        format!("the kernel cannot execute {path}"),
        known.map_or("errno(3) explains the error.", |row| row.help),
    )
    .because(meaning)
}

pub(super) fn exited(status: u8) -> Words {
    let known = exit_status(status);
    let sentence = match status {
        0 => "init returned (exit status 0)".to_owned(),
        _ => format!("init exited with status {status}"),
    };
    let help = known.map_or(
        "The kernel panics when PID 1 ends. At its end, let init wait forever (pause(2) in a loop) or power \
         off (reboot(2)).",
        |row| row.help,
    );
    Words::new("init-exited", sentence, help)
        .because(known.map_or("PID 1 must never exit", |row| row.meaning))
}

pub(super) fn killed(signal: u8) -> Words {
    let known = signal::signal(signal);
    let name = known.map_or(format!("signal {signal}"), |row| row.name.to_owned());
    let words = Words::new(
        "init-killed",
        format!("init was killed by {name}"),
        known.map_or("signal(7) explains the signal.", |row| row.help),
    );
    match known {
        Some(row) => words.because(row.meaning),
        None => words,
    }
}

pub(super) fn no_console() -> Words {
    Words::new(
        "no-console",
        "there is no console for init",
        "Add the character device 5:1 to the initramfs as /dev/console (packer: --node /dev/console=c:5:1:0600). If it is there, \
         console= names a device for which the kernel has no driver.",
    )
    .because("its output is lost")
}

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
         its #!, in a line without a carriage return (Windows line ends). \
         Pack these, or link the program statically (gcc: -static, Rust: a musl target)."),
    exec_row(5, "EIO", "it is cut short, or cannot be read", "Copy or build it again, and look for errors of the disk in the output above."),
    exec_row(8, "ENOEXEC", "it is for another architecture, or not a program",
        "`file` says what it is. A script needs a first line with #! and a kernel with CONFIG_BINFMT_SCRIPT=y. On a 64-bit kernel, a \
         32-bit program needs CONFIG_IA32_EMULATION=y (arm64: CONFIG_COMPAT=y), and an x32 program needs CONFIG_X86_X32_ABI=y. \
         A 64-bit program needs a 64-bit kernel."),
    exec_row(12, "ENOMEM", "there is no memory left for it", "Give the guest more memory with --memory."),
    exec_row(13, "EACCES", "it is not executable",
        "Its mode has no x (packer: --file /init=FILE:0755), or it is not a regular file, or its file system is mounted noexec; or one of \
         these is true for its interpreter; or a security module forbids it (IMA, SELinux)."),
    exec_row(14, "EFAULT", "its addresses are not valid for a program", "Link it for user space of this architecture."),
    exec_row(22, "EINVAL", "its ELF headers contradict one another", "`readelf -lW` shows them. Link it again."),
    exec_row(26, "ETXTBSY", "a process still has it open for writing", "Close the file before it is executed."),
    exec_row(40, "ELOOP", "it is a symbolic link that leads back to itself", "Point the link to a file."),
    exec_row(80, "ELIBBAD", "its interpreter is for another architecture, or not a program", "Pack the loader that the program was linked for (`readelf -l` names it)."),
];

/// An exit status with a common meaning.
struct ExitStatus {
    status: u8,
    meaning: &'static str,
    help: &'static str,
}

fn exit_status(status: u8) -> Option<&'static ExitStatus> {
    EXIT_STATUSES.iter().find(|row| row.status == status)
}

const fn exit_row(status: u8, meaning: &'static str, help: &'static str) -> ExitStatus {
    ExitStatus {
        status,
        meaning,
        help,
    }
}

#[rustfmt::skip] // A table.
const EXIT_STATUSES: &[ExitStatus] = &[
    exit_row(1, "PID 1 must never exit",
        "Most programs exit with this status after an error, which the last lines of init probably name. If init is done, let it wait forever \
         (pause(2) in a loop) or power off (reboot(2)). A shell script that runs as init ends with the status of its last command."),
    exit_row(2, "a Go program exits with this status when it panics, a shell when it cannot parse its script, and many programs when their \
         arguments are wrong",
        "The last lines of init show which of these happened. (After a Go panic, \"panic: \" or \"fatal error: \" is above the list of goroutines.)"),
    exit_row(101, "a Rust program exits with this status when it panics",
        "The panic's message says where and why. Look for it among the kernel's messages."),
    exit_row(126, "a shell exits with this status when it cannot execute a program",
        "The program's mode has no x, or it is a directory, or it is for another architecture, or its interpreter is missing."),
    exit_row(127, "a loader exits with this status when it does not find a library, a shell when it does not find a command",
        "The last lines name the library or the command. Pack it, or link the program statically."),
    exit_row(134, "a shell exits with this status when SIGABRT killed its last program: 128 + 6",
        "The program called abort(): a failed assertion, a double free or an uncaught exception. Its last lines probably say which."),
    exit_row(137, "a shell exits with this status when SIGKILL killed its last program: 128 + 9",
        "The kernel probably killed the program because the guest had no memory left (\"Out of memory\"). Give the guest more with --memory."),
    exit_row(139, "a shell exits with this status when SIGSEGV killed its last program: 128 + 11",
        "The program accessed memory that it must not access. The kernel's message \"segfault at\" names the address."),
];

#[cfg(test)]
mod tests {
    use super::*;

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
