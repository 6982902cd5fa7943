//! The messages that report why a boot failed, and what each of them means.
//!
//! Each file has the messages of one subject, the causes that they report, and these causes in words. The messages are those of
//! Linux, and of the programs around it: firmware, boot loaders, QEMU, and the first programs of an initramfs.
//!
//! | module | subject |
//! | --- | --- |
//! | here | [`Finding`] and [`Cause`], and the search for a message |
//! | [`host`] | QEMU, KVM, and other programs that run guests |
//! | [`early`] | everything before Linux prints its version: firmware, boot loaders, the EFI stub, the decompressor |
//! | [`initramfs`] | unpacking |
//! | [`root`] | the root file system |
//! | [`init`] | the start and the end of init |
//! | [`startup`] | the programs of an initramfs, and systemd |
//! | [`kernel`] | panics, oopses, lockups, memory |
//! | [`notes`] | problems that a guest survives |
//! | [`last_line`] | the last line of a guest that is silent after it |

pub mod early;
pub mod host;
pub mod init;
pub mod initramfs;
pub mod kernel;
pub mod last_line;
pub mod notes;
pub mod root;
pub mod startup;

use serde::Serialize;

use crate::console::message::PANIC;

/// A problem that a message reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The problem.
    #[serde(flatten)]
    pub cause: Cause,
    /// The message.
    pub said: String,
    /// The number of its line, from 1, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

impl Finding {
    /// Whether PID 1 was killed, ended with a status other than 0, or gave up.
    pub fn is_end_of_init(&self) -> bool {
        match self.cause {
            Cause::InitExited { status } => status != 0,
            Cause::InitKilled { .. } | Cause::InitGaveUp { .. } => true,
            _ => false,
        }
    }
}

/// The cause of a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Cause {
    /// QEMU reported an error.
    QemuError {
        /// Its message.
        reason: String,
    },
    /// Another program that runs guests, such as Firecracker, reported an error.
    MonitorError {
        /// Its message.
        reason: String,
    },
    /// QEMU or KVM stopped the guest because of an error.
    KvmError,
    /// The firmware or the boot loader started no kernel.
    NoKernel {
        /// Which one, with the reason.
        reason: &'static str,
    },
    /// The kernel's EFI stub ended with an error.
    EfiStubFailed {
        /// The reason, in its words.
        reason: String,
    },
    /// The kernel does not support this CPU.
    WrongCpu,
    /// The kernel could not unpack itself.
    DecompressorFailed {
        /// The reason, in its words, if it gave one.
        reason: Option<String>,
    },
    /// The CPU reported an error before the kernel could handle it.
    EarlyException {
        /// The number of the exception on x86.
        vector: u8,
    },
    /// The kernel could not unpack all of the initramfs. It continues with the files that it unpacked.
    UnpackingFailed {
        /// The reason, in the kernel's words.
        reason: String,
    },
    /// The kernel found no init because it did not read the initramfs.
    InitramfsIgnored,
    /// The kernel has no root file system.
    NoRoot {
        /// The device that it tried, as root= names it.
        #[serde(skip_serializing_if = "Option::is_none")]
        device: Option<String>,
        /// Whether the kernel knows this device.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        found: bool,
        /// Whether the kernel has unpacked an initramfs before, if that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        unpacked: Option<bool>,
    },
    /// The initramfs has neither `/init` nor another file that the kernel runs as init.
    NoInit {
        /// The requested file, if the kernel names it.
        path: Option<String>,
    },
    /// The kernel could not execute a file as init.
    InitNotStarted {
        /// The file.
        path: String,
        /// The `errno(3)`, positive.
        error: i32,
    },
    /// PID 1 exited.
    InitExited {
        /// The exit status.
        status: u8,
    },
    /// A signal killed PID 1.
    InitKilled {
        /// The signal's number.
        signal: u8,
        /// The signal's name, if it has one.
        name: Option<&'static str>,
        /// The kernel's message about the instruction that caused the signal.
        fault: Option<String>,
    },
    /// Init has no console, so its output is lost.
    NoConsole,
    /// The initramfs or systemd gave up and started a shell for a person.
    EmergencyShell {
        /// Which one, or the reason.
        reason: &'static str,
    },
    /// Init, or the program that should have started it, gave up.
    InitGaveUp {
        /// Which one, with the reason.
        reason: &'static str,
    },
    /// The kernel panicked for another reason.
    Panic {
        /// The reason, in the kernel's words.
        reason: String,
    },
    /// The kernel found a bug in itself.
    Oops {
        /// The function, with an offset, if the kernel names it.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
    /// A CPU was busy in the kernel for too long.
    Lockup,
    /// A process waited in the kernel for too long.
    HungTask {
        /// Its name and its number.
        #[serde(skip_serializing_if = "Option::is_none")]
        task: Option<String>,
    },
    /// The guest has no memory left.
    OutOfMemory {
        /// The process that the kernel killed, with its number and its memory.
        #[serde(skip_serializing_if = "Option::is_none")]
        killed: Option<String>,
    },
}

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

impl Words {
    fn new(kind: &'static str, sentence: impl Into<String>, help: &'static str) -> Self {
        Words {
            kind,
            sentence: sentence.into(),
            meaning: None,
            help,
        }
    }

    fn because(mut self, meaning: impl Into<String>) -> Self {
        self.meaning = Some(meaning.into());
        self
    }
}

impl Cause {
    /// The cause in words.
    pub fn words(&self) -> Words {
        match self {
            Cause::QemuError { reason } => host::failed(reason),
            Cause::MonitorError { reason } => host::monitor_failed(reason),
            Cause::KvmError => host::stopped(),
            Cause::NoKernel { reason } => early::no_kernel(reason),
            Cause::EfiStubFailed { reason } => early::efi_stub_failed(reason),
            Cause::WrongCpu => early::wrong_cpu(),
            Cause::DecompressorFailed { reason } => early::decompressor_failed(reason.as_deref()),
            Cause::EarlyException { vector } => early::exception(*vector),
            Cause::UnpackingFailed { reason } => initramfs::unpacking_failed(reason),
            Cause::InitramfsIgnored => initramfs::ignored(),
            Cause::NoRoot {
                device,
                found,
                unpacked,
            } => root::none(device.as_deref(), *found, *unpacked),
            Cause::NoInit { path } => init::none(path.as_deref()),
            Cause::InitNotStarted { path, error } => init::not_started(path, *error),
            Cause::InitExited { status } => init::exited(*status),
            Cause::InitKilled { signal, .. } => init::killed(*signal),
            Cause::NoConsole => init::no_console(),
            Cause::EmergencyShell { reason } => startup::emergency_shell(reason),
            Cause::InitGaveUp { reason } => startup::gave_up(reason),
            Cause::Panic { reason } => kernel::panic(reason),
            Cause::Oops { at } => kernel::oops(at.as_deref()),
            Cause::Lockup => kernel::lockup(),
            Cause::HungTask { task } => kernel::hung_task(task.as_deref()),
            Cause::OutOfMemory { killed } => kernel::out_of_memory(killed.as_deref()),
        }
    }

    /// The author of the message.
    pub fn said_by(&self) -> &'static str {
        match self {
            Cause::QemuError { .. } | Cause::KvmError => "qemu",
            Cause::MonitorError { .. } => "monitor",
            Cause::NoKernel { .. } => "firmware",
            Cause::EmergencyShell { .. } | Cause::InitGaveUp { .. } => "init",
            _ => "kernel",
        }
    }

    /// Whether the message comes from before Linux starts. Later, such a line comes from a program.
    pub fn is_before_linux(&self) -> bool {
        matches!(
            self,
            Cause::NoKernel { .. }
                | Cause::EfiStubFailed { .. }
                | Cause::WrongCpu
                | Cause::DecompressorFailed { .. }
        )
    }

    /// Whether the guest itself may be correct.
    pub fn is_of_host(&self) -> bool {
        matches!(
            self,
            Cause::QemuError { .. } | Cause::KvmError | Cause::MonitorError { .. }
        )
    }
}

/// A message, and the cause that it reports.
struct Row {
    /// A part of the message.
    text: &'static str,
    /// Whether the message begins with it.
    at_start: bool,
    /// Makes the cause from the rest of the message. `None` if this is another message with the same text.
    cause: fn(&str) -> Option<Cause>,
    /// The program that prints it, if that is not Linux, and the file in its sources.
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "for readers, and for the test that searches the sources"
        )
    )]
    source: &'static str,
}

/// A message that begins with `text`.
const fn row(text: &'static str, cause: fn(&str) -> Option<Cause>, source: &'static str) -> Row {
    Row {
        text,
        at_start: true,
        cause,
        source,
    }
}

/// A message that contains `text`.
const fn part(text: &'static str, cause: fn(&str) -> Option<Cause>, source: &'static str) -> Row {
    Row {
        text,
        at_start: false,
        cause,
        source,
    }
}

/// All messages but those of a panic.
const TABLES: &[&[Row]] = &[
    initramfs::MESSAGES,
    root::MESSAGES,
    init::MESSAGES,
    kernel::MESSAGES,
    early::MESSAGES,
    host::MESSAGES,
    startup::MESSAGES,
];

/// The reasons of panics that are causes of their own.
const PANICS: &[&[Row]] = &[init::PANICS, root::PANICS, kernel::PANICS];

/// The problem that `message` reports.
pub fn finding(message: &str) -> Option<Finding> {
    let cause = match message.strip_prefix(PANIC) {
        // "---[ end Kernel panic - not syncing: REASON ]---" repeats the reason.
        Some(reason) => Some(of_panic(reason.trim_end_matches("]---").trim())),
        None => look_up(TABLES, message),
    };
    cause.map(|cause| Finding {
        cause,
        said: message.to_owned(),
        line: None,
    })
}

/// The cause of a panic with this reason.
fn of_panic(reason: &str) -> Cause {
    look_up(PANICS, reason).unwrap_or_else(|| Cause::Panic {
        reason: reason.to_owned(),
    })
}

fn look_up(tables: &[&[Row]], message: &str) -> Option<Cause> {
    let mut rows = tables.iter().flat_map(|rows| rows.iter());
    rows.find_map(|row| {
        let rest = match row.at_start {
            true => message.strip_prefix(row.text)?,
            false => message.split_once(row.text)?.1,
        };
        (row.cause)(rest)
    })
}

#[cfg(test)]
mod tests;
