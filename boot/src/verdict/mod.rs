//! How a boot ended: as data, in words, and as an exit code.
//!
//! The input is the console, the kernel's messages and the way QEMU or user-mode Linux ended. This module uses no processes and no clocks.
//!
//! | module | subject |
//! | --- | --- |
//! | here | [`Verdict`], the outcome as data |
//! | [`judge`] | decides the verdict when the watching ends |
//! | [`findings`] | collects the kernel's messages that matter for the verdict |
//! | [`diagnosis`] | the tables of messages, and the causes that they report, in words |
//! | [`signal`] | the table of the signals that kill PID 1 |
//! | [`program_messages`] | the table of programs' error messages, with advice |
//! | [`verdict_text`] | a verdict in words, with advice |
//! | [`exit_code`] | the table of exit codes |

pub mod diagnosis;
pub mod exit_code;
pub mod findings;
pub mod judge;
pub mod program_messages;
pub mod signal;
pub mod verdict_text;

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::machine::vm::GuestExit;
use crate::verdict::diagnosis::Finding;
use crate::verdict::exit_code::ExitCode;
use crate::verdict::findings::Reached;

/// How a boot ended. In JSON, `kind` names the variant; these names never change.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Verdict {
    /// The expected text was seen.
    Seen {
        /// The text.
        text: String,
        /// The time from the start of QEMU or user-mode Linux to the text, unless a log was read; seconds in JSON.
        #[serde(serialize_with = "optional_seconds")]
        after: Option<Duration>,
    },
    /// The user ended an interactive session, through boot or QEMU, or the guest powered off.
    Ended,
    /// The user ended the boot before the expected text was seen.
    Abandoned {
        /// The expected text.
        expected: String,
    },
    /// The guest powered off.
    PoweredOff(Unfinished),
    /// The guest stopped without powering off.
    Halted(Unfinished),
    /// The guest restarted, and its kernel said so.
    Restarted(Unfinished),
    /// The guest ended without a message from its kernel: a triple fault, or a restart or power-off
    /// of a kernel that prints no messages.
    Reset(Unfinished),
    /// The guest ended QEMU or user-mode Linux, and chose its exit status.
    GuestExited {
        /// The exit status.
        #[serde(flatten)]
        exit: GuestExit,
        /// The state of the guest.
        #[serde(flatten)]
        guest: Unfinished,
    },
    /// `--timeout` expired.
    Timeout {
        /// The limit; seconds in JSON.
        #[serde(serialize_with = "seconds")]
        limit: Duration,
        /// The state of the guest.
        #[serde(flatten)]
        guest: Unfinished,
    },
    /// The guest was silent for the time of `--stall`.
    Stalled {
        /// The limit; seconds in JSON.
        #[serde(serialize_with = "seconds")]
        limit: Duration,
        /// The state of the guest.
        #[serde(flatten)]
        guest: Unfinished,
    },
    /// The log ends, and nothing in it says that the boot is over.
    LogEnded(Unfinished),
    /// The log is not text.
    Garbage,
    /// QEMU failed before the guest ran.
    QemuFailed {
        /// Its exit status.
        status: String,
        /// Its stderr.
        said: QemuWords,
        /// QEMU's command line, for a shell.
        shell_line: String,
    },
    /// QEMU failed while the guest ran.
    QemuCrashed {
        /// Its exit status.
        status: String,
        /// Its stderr.
        said: QemuWords,
        /// The state of the guest.
        #[serde(flatten)]
        guest: Unfinished,
    },
    /// QEMU or KVM stopped the guest because of an error.
    QemuStopped {
        /// The error, one of QMP's `RunState`.
        run_state: Option<String>,
        /// QEMU's stderr.
        said: QemuWords,
        /// The state of the guest.
        #[serde(flatten)]
        guest: Unfinished,
    },
    /// User-mode Linux failed before the guest ran.
    UmFailed {
        /// Its exit status.
        status: String,
        /// Its stderr.
        said: QemuWords,
        /// Its command line, for a shell.
        shell_line: String,
    },
    /// The process of user-mode Linux ended without a message from its kernel.
    UmCrashed {
        /// Its exit status.
        status: String,
        /// Its stderr.
        said: QemuWords,
        /// The state of the guest.
        #[serde(flatten)]
        guest: Unfinished,
    },
    /// The reader of boot's stdout closed it.
    StdoutClosed,
    /// The terminal was closed.
    TerminalGone,
    /// A signal ended boot.
    Signal {
        /// Its number.
        signal: i32,
    },
    /// The guest failed, and its kernel reported why. `kind` is that of the kernel's first report.
    #[serde(untagged)]
    Failed(Failure),
}

/// Why a guest failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// The first problem that the kernel reported.
    #[serde(flatten)]
    pub cause: Finding,
    /// The problems that the kernel reported after that. A panic is the last one, here or in
    /// `cause`.
    pub then: Vec<Finding>,
    /// How the boot ended, unless it ended with a panic.
    pub end: Option<Box<Verdict>>,
    /// The last lines that programs wrote, if init ended.
    pub programs_said: Vec<String>,
}

/// The state of a guest at the end of a boot.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Unfinished {
    /// The expected text, if it was not seen.
    pub expected: Option<String>,
    /// The expected text, if it was seen and the guest had not yet come to rest.
    pub seen: Option<String>,
    /// Whether the expected text was seen only in output that does not count.
    pub elsewhere: bool,
    /// The last lines that programs wrote.
    pub programs_said: Vec<String>,
    /// The last line on the console, if there was any.
    pub last_line: Option<String>,
    /// The stage of the boot that the guest reached.
    pub reached: Reached,
}

/// The stderr of QEMU or user-mode Linux, line by line: the first and the last lines, if there are many. In JSON, a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct QemuWords {
    /// The lines.
    pub lines: Vec<String>,
    /// Whether the user has seen them already.
    #[serde(skip)]
    pub shown: bool,
}

impl QemuWords {
    /// Whether a line contains `text`.
    fn mention(&self, text: &str) -> bool {
        self.lines.iter().any(|line| line.contains(text))
    }
}

/// A verdict with its words, for JSON.
#[derive(Debug, Serialize)]
pub struct Judgement<'a> {
    #[serde(flatten)]
    verdict: &'a Verdict,
    sentence: String,
    help: Option<&'static str>,
    exit_code: ExitCode,
}

impl<'a> Judgement<'a> {
    /// `verdict` with its words.
    pub fn new(verdict: &'a Verdict) -> Self {
        Judgement {
            verdict,
            sentence: verdict.sentence(),
            help: verdict.help(),
            exit_code: verdict.exit_code(),
        }
    }
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

fn optional_seconds<S: Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}

impl Verdict {
    /// The state of the guest, if the guest failed and its kernel reported nothing.
    pub fn guest(&self) -> Option<&Unfinished> {
        match self {
            Verdict::PoweredOff(guest)
            | Verdict::Halted(guest)
            | Verdict::Restarted(guest)
            | Verdict::Reset(guest)
            | Verdict::LogEnded(guest)
            | Verdict::GuestExited { guest, .. }
            | Verdict::Timeout { guest, .. }
            | Verdict::Stalled { guest, .. }
            | Verdict::QemuCrashed { guest, .. }
            | Verdict::UmCrashed { guest, .. } => Some(guest),
            _ => None,
        }
    }

    /// `kind` in the JSON form.
    pub fn kind(&self) -> &'static str {
        match self {
            Verdict::Seen { .. } => "seen",
            Verdict::Ended => "ended",
            Verdict::Abandoned { .. } => "abandoned",
            Verdict::Failed(failure) => failure.cause.cause.words().kind,
            Verdict::PoweredOff(_) => "powered-off",
            Verdict::Halted(_) => "halted",
            Verdict::Restarted(_) => "restarted",
            Verdict::Reset(_) => "reset",
            Verdict::GuestExited { .. } => "guest-exited",
            Verdict::Timeout { .. } => "timeout",
            Verdict::Stalled { .. } => "stalled",
            Verdict::LogEnded(_) => "log-ended",
            Verdict::Garbage => "garbage",
            Verdict::QemuFailed { .. } => "qemu-failed",
            Verdict::QemuCrashed { .. } => "qemu-crashed",
            Verdict::QemuStopped { .. } => "qemu-stopped",
            Verdict::UmFailed { .. } => "um-failed",
            Verdict::UmCrashed { .. } => "um-crashed",
            Verdict::StdoutClosed => "stdout-closed",
            Verdict::TerminalGone => "terminal-gone",
            Verdict::Signal { .. } => "signal",
        }
    }

    /// The stderr of QEMU or user-mode Linux, if the verdict is about that.
    pub fn runner_said(&self) -> Option<&QemuWords> {
        match self {
            Verdict::QemuFailed { said, .. }
            | Verdict::QemuCrashed { said, .. }
            | Verdict::QemuStopped { said, .. }
            | Verdict::UmFailed { said, .. }
            | Verdict::UmCrashed { said, .. } => Some(said),
            _ => None,
        }
    }

    /// boot's exit code.
    pub fn exit_code(&self) -> ExitCode {
        const SIGHUP: i32 = 1;
        const SIGINT: i32 = 2;
        const SIGPIPE: i32 = 13;
        match self {
            Verdict::Seen { .. } | Verdict::Ended => exit_code::SUCCESS,
            Verdict::Failed(failure) if failure.cause.cause.is_of_host() => exit_code::CANNOT_TEST,
            // A log without the expected text is one of a failed boot. If no text is expected, nobody can say.
            Verdict::LogEnded(guest) if guest.expected.is_none() => exit_code::CANNOT_TEST,
            Verdict::Garbage => exit_code::CANNOT_TEST,
            Verdict::LogEnded(_)
            | Verdict::Failed(_)
            | Verdict::PoweredOff(_)
            | Verdict::Halted(_)
            | Verdict::Restarted(_)
            | Verdict::Reset(_)
            | Verdict::GuestExited { .. } => exit_code::GUEST_FAILED,
            Verdict::Timeout { .. } | Verdict::Stalled { .. } => exit_code::TIME_RAN_OUT,
            Verdict::QemuFailed { .. }
            | Verdict::QemuCrashed { .. }
            | Verdict::QemuStopped { .. }
            | Verdict::UmFailed { .. }
            | Verdict::UmCrashed { .. } => exit_code::CANNOT_TEST,
            Verdict::Abandoned { .. } => exit_code::of_signal(SIGINT),
            Verdict::StdoutClosed => exit_code::of_signal(SIGPIPE),
            Verdict::TerminalGone => exit_code::of_signal(SIGHUP),
            Verdict::Signal { signal } => exit_code::of_signal(*signal),
        }
    }
}

#[cfg(test)]
mod tests;
