//! The outcome of a boot: as data, as a sentence, and as an exit code.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::machine::command::GuestExit;
use crate::verdict::diagnosis::Finding;
use crate::verdict::exit_code::{self, ExitCode};
use crate::verdict::findings::Reached;

/// How a boot ended. Its JSON form has a `kind`, which tells the variants apart and stays what it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Verdict {
    /// The expected text was seen.
    Seen {
        /// The text.
        text: String,
        /// Since QEMU's start; seconds in JSON.
        #[serde(serialize_with = "seconds")]
        after: Duration,
    },
    /// The user ended an interactive session, through boot, QEMU, or the guest's own power-off.
    Ended,
    /// The user ended it before the expected text was seen.
    Abandoned {
        /// The text.
        expected: String,
    },
    /// The guest powered off.
    PoweredOff(Unfinished),
    /// The guest has stopped without powering off.
    Halted(Unfinished),
    /// The guest restarted itself, in order.
    Restarted(Unfinished),
    /// The guest was gone without a word from its kernel: a triple fault, or an end that a quiet
    /// kernel did not announce.
    Reset(Unfinished),
    /// The guest ended QEMU, with an exit status of its choice.
    GuestExited {
        /// Which.
        #[serde(flatten)]
        exit: GuestExit,
        /// What became of the guest.
        #[serde(flatten)]
        guest: Unfinished,
    },
    /// Time ran out.
    Timeout {
        /// How much there was; seconds in JSON.
        #[serde(serialize_with = "seconds")]
        limit: Duration,
        /// What became of the guest.
        #[serde(flatten)]
        guest: Unfinished,
    },
    /// The guest was silent for too long.
    Stalled {
        /// How long that is; seconds in JSON.
        #[serde(serialize_with = "seconds")]
        limit: Duration,
        /// What became of the guest.
        #[serde(flatten)]
        guest: Unfinished,
    },
    /// QEMU failed before there was a guest.
    QemuFailed {
        /// Its exit status.
        status: String,
        /// Its stderr.
        said: QemuWords,
        /// The command to try by hand.
        shell_line: String,
    },
    /// QEMU failed under the guest.
    QemuCrashed {
        /// Its exit status.
        status: String,
        /// Its stderr.
        said: QemuWords,
        /// What became of the guest.
        #[serde(flatten)]
        guest: Unfinished,
    },
    /// QEMU or KVM has stopped the guest for an error.
    QemuStopped {
        /// Which, as QMP has it (`RunState`).
        run_state: Option<String>,
        /// QEMU's stderr.
        said: QemuWords,
        /// What became of the guest.
        #[serde(flatten)]
        guest: Unfinished,
    },
    /// Whoever read boot's stdout has stopped reading.
    StdoutClosed,
    /// The terminal went away.
    TerminalGone,
    /// A signal asked boot to end.
    Signal {
        /// Its number.
        signal: i32,
    },
    /// The guest failed, and its kernel said why. `kind` is that of what it said first.
    #[serde(untagged)]
    Failed(Failure),
}

/// Why a guest failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// What its kernel complained about first.
    #[serde(flatten)]
    pub cause: Finding,
    /// What it complained about after that. If it panicked, the panic is the last, here or in
    /// `cause`.
    pub then: Vec<Finding>,
    /// How it ended, if that was no panic.
    pub end: Option<Box<Verdict>>,
    /// The last lines that programs wrote, if init ended.
    pub programs_said: Vec<String>,
}

/// What was left to do for a guest.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Unfinished {
    /// The text that was still expected.
    pub expected: Option<String>,
    /// The text that was expected and seen, before the guest had come to rest.
    pub seen: Option<String>,
    /// Whether the text that was still expected was seen where it does not count.
    pub elsewhere: bool,
    /// The last lines that programs wrote.
    pub programs_said: Vec<String>,
    /// The last line on the console, if there was any.
    pub last_line: Option<String>,
    /// How far it had come.
    pub reached: Reached,
}

/// QEMU's stderr, line by line: the first and the last lines, if there are many. In JSON, a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct QemuWords {
    /// The lines.
    pub lines: Vec<String>,
    /// Whether the user has seen them already.
    #[serde(skip)]
    pub shown: bool,
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

impl Verdict {
    /// What became of the guest, if it is about a guest that failed without its kernel's word.
    pub fn guest(&self) -> Option<&Unfinished> {
        match self {
            Verdict::PoweredOff(guest)
            | Verdict::Halted(guest)
            | Verdict::Restarted(guest)
            | Verdict::Reset(guest)
            | Verdict::GuestExited { guest, .. }
            | Verdict::Timeout { guest, .. }
            | Verdict::Stalled { guest, .. }
            | Verdict::QemuCrashed { guest, .. } => Some(guest),
            _ => None,
        }
    }

    /// The tag of its JSON form.
    pub fn kind(&self) -> &'static str {
        match self {
            Verdict::Seen { .. } => "seen",
            Verdict::Ended => "ended",
            Verdict::Abandoned { .. } => "abandoned",
            Verdict::Failed(failure) => failure.cause.cause.kind(),
            Verdict::PoweredOff(_) => "powered-off",
            Verdict::Halted(_) => "halted",
            Verdict::Restarted(_) => "restarted",
            Verdict::Reset(_) => "reset",
            Verdict::GuestExited { .. } => "guest-exited",
            Verdict::Timeout { .. } => "timeout",
            Verdict::Stalled { .. } => "stalled",
            Verdict::QemuFailed { .. } => "qemu-failed",
            Verdict::QemuCrashed { .. } => "qemu-crashed",
            Verdict::QemuStopped { .. } => "qemu-stopped",
            Verdict::StdoutClosed => "stdout-closed",
            Verdict::TerminalGone => "terminal-gone",
            Verdict::Signal { .. } => "signal",
        }
    }

    /// QEMU's stderr, if the verdict is about QEMU.
    pub fn qemu_said(&self) -> Option<&QemuWords> {
        match self {
            Verdict::QemuFailed { said, .. }
            | Verdict::QemuCrashed { said, .. }
            | Verdict::QemuStopped { said, .. } => Some(said),
            _ => None,
        }
    }

    /// What boot's caller gets to know.
    pub fn exit_code(&self) -> ExitCode {
        const SIGHUP: i32 = 1;
        const SIGINT: i32 = 2;
        const SIGPIPE: i32 = 13;
        match self {
            Verdict::Seen { .. } | Verdict::Ended => exit_code::SUCCESS,
            Verdict::Failed(_)
            | Verdict::PoweredOff(_)
            | Verdict::Halted(_)
            | Verdict::Restarted(_)
            | Verdict::Reset(_)
            | Verdict::GuestExited { .. } => exit_code::GUEST_FAILED,
            Verdict::Timeout { .. } | Verdict::Stalled { .. } => exit_code::TIME_RAN_OUT,
            Verdict::QemuFailed { .. }
            | Verdict::QemuCrashed { .. }
            | Verdict::QemuStopped { .. } => exit_code::CANNOT_TEST,
            Verdict::Abandoned { .. } => exit_code::of_signal(SIGINT),
            Verdict::StdoutClosed => exit_code::of_signal(SIGPIPE),
            Verdict::TerminalGone => exit_code::of_signal(SIGHUP),
            Verdict::Signal { signal } => exit_code::of_signal(*signal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::diagnosis::Cause;
    use serde_json::{Value, json};

    fn failed(cause: Cause) -> Verdict {
        Verdict::Failed(Failure {
            cause: Finding {
                cause,
                said: "it".into(),
            },
            then: vec![],
            end: None,
            programs_said: vec![],
        })
    }

    /// One of each.
    fn all() -> Vec<Verdict> {
        let text = String::new;
        let guest = Unfinished::default;
        let limit = Duration::ZERO;
        let causes = [
            Cause::UnpackingFailed { reason: text() },
            Cause::NoInit { path: None },
            Cause::InitramfsIgnored,
            Cause::NoRoot,
            Cause::InitNotStarted {
                path: text(),
                error: 8,
            },
            Cause::InitExited { status: 7 },
            Cause::InitKilled {
                signal: 4,
                name: Some("SIGILL"),
                fault: None,
            },
            Cause::Panic { reason: text() },
            Cause::Oops,
            Cause::Lockup,
            Cause::HungTask,
            Cause::OutOfMemory,
            Cause::NoConsole,
        ];
        let others = [
            Verdict::Seen {
                text: text(),
                after: limit,
            },
            Verdict::Ended,
            Verdict::Abandoned { expected: text() },
            Verdict::PoweredOff(guest()),
            Verdict::Halted(guest()),
            Verdict::Restarted(guest()),
            Verdict::Reset(guest()),
            Verdict::GuestExited {
                exit: GuestExit {
                    status: 33,
                    written: Some(16),
                },
                guest: guest(),
            },
            Verdict::Timeout {
                limit,
                guest: guest(),
            },
            Verdict::Stalled {
                limit,
                guest: guest(),
            },
            Verdict::QemuFailed {
                status: text(),
                said: QemuWords::default(),
                shell_line: text(),
            },
            Verdict::QemuCrashed {
                status: text(),
                said: QemuWords::default(),
                guest: guest(),
            },
            Verdict::QemuStopped {
                run_state: None,
                said: QemuWords::default(),
                guest: guest(),
            },
            Verdict::StdoutClosed,
            Verdict::TerminalGone,
            Verdict::Signal { signal: 15 },
        ];
        causes.into_iter().map(failed).chain(others).collect()
    }

    #[test]
    fn every_kind_is_the_tag_of_the_json_form() {
        let mut kinds = Vec::new();
        for verdict in all() {
            let json = serde_json::to_value(&verdict).unwrap();
            assert_eq!(json["kind"], verdict.kind(), "{json}");
            kinds.push(verdict.kind());
        }
        let all = kinds.len();
        kinds.sort();
        kinds.dedup();
        assert_eq!(kinds.len(), all);
    }

    #[test]
    fn every_kind_is_in_the_handbook_with_its_exit_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/boot.md");
        let Ok(handbook) = std::fs::read_to_string(path) else {
            return; // Builds do without the documents.
        };
        for verdict in all() {
            let (kind, code) = (verdict.kind(), verdict.exit_code());
            let row = handbook
                .lines()
                .find(|line| line.starts_with(&format!("| `{kind}` |")))
                .unwrap_or_else(|| panic!("docs/boot.md has no row for {kind}"));
            let last = row.trim_end_matches(" |").rsplit("| ").next();
            let general = match code {
                143 => "128 + n".to_owned(),
                code => code.to_string(),
            };
            assert_eq!(last, Some(general.as_str()), "{row}");
        }
    }

    #[test]
    fn the_json_form_is_flat() {
        let guest = Unfinished {
            expected: Some("Hello".into()),
            reached: Reached::Kernel,
            ..Unfinished::default()
        };
        let timeout = Verdict::Timeout {
            limit: Duration::from_millis(1500),
            guest,
        };
        let Verdict::Failed(failure) = failed(Cause::InitKilled {
            signal: 4,
            name: Some("SIGILL"),
            fault: None,
        }) else {
            unreachable!()
        };
        let form = |verdict: &Verdict| -> Value { serde_json::to_value(verdict).unwrap() };
        assert_eq!(
            form(&timeout),
            json!({ "kind": "timeout", "limit": 1.5, "expected": "Hello", "seen": null, "elsewhere": false, "programs_said": [], "last_line": null, "reached": "kernel" })
        );
        assert_eq!(
            form(&Verdict::Failed(Failure {
                then: vec![Finding {
                    cause: Cause::Oops,
                    said: "BUG: x".into()
                }],
                end: Some(Box::new(timeout.clone())),
                ..failure
            })),
            json!({
                "kind": "init-killed", "signal": 4, "name": "SIGILL", "fault": null, "said": "it",
                "then": [{ "kind": "oops", "said": "BUG: x" }],
                "end": form(&timeout),
                "programs_said": [],
            })
        );
    }

    #[test]
    fn exit_codes_of_signals() {
        assert_eq!(Verdict::Signal { signal: 15 }.exit_code(), 143);
        assert_eq!(Verdict::StdoutClosed.exit_code(), 141);
        assert_eq!(Verdict::TerminalGone.exit_code(), 129);
    }
}
