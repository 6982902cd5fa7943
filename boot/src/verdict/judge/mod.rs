//! Decides the verdict when the watching ends.

use std::time::Duration;

use crate::console::stream::{Console, Seen};
use crate::machine::vm::GuestExit;
use crate::verdict::diagnosis::Finding;
use crate::verdict::findings::{Findings, Reached, Shutdown};
use crate::verdict::program_messages;
use crate::verdict::{Failure, QemuWords, Unfinished, Verdict};

/// The goal of a boot, with its limits.
#[derive(Clone, Debug, Default)]
pub struct Goal {
    /// The text that makes the boot a success.
    pub expect: Option<String>,
    /// A text that ends nothing: boot tells the user when it has seen it.
    pub mention: Option<String>,
    /// Whether either text counts whoever writes it. If not, it counts only if a program writes it.
    pub anywhere: bool,
    /// The time of watching after the text; then boot waits until the guest comes to rest.
    pub settle: Duration,
    /// The limit for the time to the text.
    pub timeout: Option<Duration>,
    /// The limit for the guest's silence before the text.
    pub stall: Option<Duration>,
}

/// Why the watching ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The text was seen, and the guest came to rest.
    Expected,
    /// The kernel panicked, and the time for its details has passed.
    Panicked,
    /// The kernel reported an oops, which outweighs the text, and the time for a panic has passed.
    Oopsed,
    /// The guest halted and left its machine on.
    Halted,
    /// The limit for the text has passed.
    TimedOut,
    /// The guest was silent for too long.
    Stalled,
    /// QEMU or KVM stopped the guest, and nothing started it again.
    Stopped,
    /// QEMU closed the console.
    QemuGone,
    /// The user pressed Ctrl-C.
    Interrupted,
    /// The log ends.
    LogEnded,
    /// The reader of stdout closed it.
    StdoutClosed,
    /// The terminal was closed.
    TerminalGone,
    /// This signal came.
    Signal(i32),
}

/// How QEMU or user-mode Linux ended, and its messages.
#[derive(Debug, Default)]
pub struct RunnerEnd {
    /// Whether it was user-mode Linux.
    pub user_mode: bool,
    /// Its exit status, unless that is the status after a guest's power-off.
    pub failure: Option<String>,
    /// The same status, if the guest chose it.
    pub guest_exit: Option<GuestExit>,
    /// Why the machine was shut down, one of QMP's `ShutdownCause`.
    pub shutdown: Option<String>,
    /// Whether a debugger ended QEMU.
    pub debugged: bool,
    /// Why QEMU stopped the guest, one of QMP's `RunState`, if QMP reported that.
    pub run_state: Option<String>,
    /// The first and the last lines of its stderr.
    pub said: Vec<String>,
    /// Whether the user has seen its stderr.
    pub said_is_shown: bool,
    /// Its command line, for a shell.
    pub shell_line: String,
}

/// The goal, and the observations of the guest.
#[derive(Debug)]
pub struct Observed<'a> {
    /// The goal.
    pub goal: &'a Goal,
    /// The guest's console.
    pub console: &'a Console,
    /// The problems that its kernel reported.
    pub findings: &'a Findings,
    /// Whether the guest wrote anything.
    pub has_output: bool,
    /// The time from QEMU's start to the expected text, if it was seen.
    pub seen_after: Option<Duration>,
    /// Whether the user ended QEMU with a key or in its monitor.
    pub user_quit: bool,
}

impl Observed<'_> {
    /// The verdict after the watching ended with `ending`.
    pub fn verdict(&self, ending: Ending, runner: RunnerEnd) -> Verdict {
        match ending {
            Ending::Signal(signal) => return Verdict::Signal { signal },
            Ending::StdoutClosed => return Verdict::StdoutClosed,
            Ending::TerminalGone => return Verdict::TerminalGone,
            _ => {}
        }
        let end = self.end(ending, runner);
        let mut findings = self.findings.list(&self.console.unfinished()).into_iter();
        let Some(cause) = findings.next() else {
            return end;
        };
        let failed = |end| {
            let then: Vec<_> = findings.collect();
            let ended = [&cause]
                .into_iter()
                .chain(&then)
                .any(Finding::is_end_of_init);
            Verdict::Failed(Failure {
                programs_said: if ended { self.console.said() } else { vec![] },
                cause,
                then,
                end,
            })
        };
        if self.console.panicked() || ending == Ending::Oopsed {
            // Later events do not matter.
            return failed(None);
        }
        match end {
            // Without an expected text, the end of a log adds nothing.
            Verdict::LogEnded(Unfinished { expected: None, .. }) => failed(None),
            end @ Verdict::Ended if ending == Ending::LogEnded => failed(Some(Box::new(end))),
            // The user or QEMU ended the boot; messages of the kernel do not explain that.
            Verdict::Ended
            | Verdict::Abandoned { .. }
            | Verdict::QemuFailed { .. }
            | Verdict::QemuCrashed { .. }
            | Verdict::QemuStopped { .. }
            | Verdict::UmFailed { .. }
            | Verdict::UmCrashed { .. } => end,
            // A kernel may report a problem and still work, but not after an oops.
            Verdict::Seen { .. } if !self.findings.has_oops() => end,
            end => failed(Some(Box::new(end))),
        }
    }

    /// The verdict without the kernel's findings.
    fn end(&self, ending: Ending, runner: RunnerEnd) -> Verdict {
        let guest = self.unfinished();
        let ended_by_user = |expected| match expected {
            Some(expected) => Verdict::Abandoned { expected },
            None => Verdict::Ended,
        };
        let limit = |limit: Option<_>| limit.unwrap_or_default();
        let at_rest = self.is_at_rest(ending, &runner);
        let said = QemuWords {
            lines: runner.said,
            shown: runner.said_is_shown,
        };
        match ending {
            Ending::Stopped => {
                let run_state = runner.run_state;
                return Verdict::QemuStopped {
                    run_state,
                    said,
                    guest,
                };
            }
            Ending::Interrupted => return ended_by_user(guest.expected),
            Ending::TimedOut => {
                let limit = limit(self.goal.timeout);
                return Verdict::Timeout { limit, guest };
            }
            Ending::Stalled => {
                let limit = limit(self.goal.stall);
                return Verdict::Stalled { limit, guest };
            }
            _ => {}
        }
        let failure = match runner.guest_exit {
            Some(exit) if self.seen_after.is_none() => return Verdict::GuestExited { exit, guest },
            // The guest ended itself, as with a power-off: the text decides.
            Some(_) => None,
            None => runner.failure,
        };
        match (failure, self.seen_after, &self.goal.expect) {
            (Some(status), _, _) if !self.has_output => {
                // Quote the lines even if they were already shown: nothing else explains the failure.
                let said = QemuWords {
                    shown: false,
                    ..said
                };
                let shell_line = runner.shell_line;
                match runner.user_mode {
                    true => Verdict::UmFailed {
                        status,
                        said,
                        shell_line,
                    },
                    false => Verdict::QemuFailed {
                        status,
                        said,
                        shell_line,
                    },
                }
            }
            (Some(status), _, _) if runner.user_mode => Verdict::UmCrashed {
                status,
                said,
                guest,
            },
            (Some(status), _, _) => Verdict::QemuCrashed {
                status,
                said,
                guest,
            },
            (None, Some(after), Some(text)) if at_rest => Verdict::Seen {
                text: text.clone(),
                after: (ending != Ending::LogEnded).then_some(after),
            },
            (None, _, _) if self.user_quit || runner.debugged => ended_by_user(guest.expected),
            (None, _, expected) => match self.findings.shutdown() {
                // Without an expected text, a guest that announces its end ends the session
                // successfully. A guest that ends without a message, as after a triple fault, does
                // not, and neither does an initramfs that failed.
                Some(_)
                    if expected.is_none() && !program_messages::gave_up(&guest.programs_said) =>
                {
                    Verdict::Ended
                }
                Some(Shutdown::PowerOff) => Verdict::PoweredOff(guest),
                Some(Shutdown::Halt) => Verdict::Halted(guest),
                Some(Shutdown::Restart) => Verdict::Restarted(guest),
                None if ending == Ending::LogEnded => Verdict::LogEnded(guest),
                // A quiet kernel does not announce its end, but QEMU reports it.
                None => match runner.shutdown.as_deref() {
                    Some("guest-shutdown") if expected.is_none() => Verdict::Ended,
                    Some("guest-shutdown") => Verdict::PoweredOff(guest),
                    // QEMU's exit status is the same as after a power-off.
                    Some(reason) if reason.starts_with("host-") => Verdict::QemuCrashed {
                        status: format!("the reason {reason:?}"),
                        said,
                        guest,
                    },
                    _ => Verdict::Reset(guest),
                },
            },
        }
    }

    /// Whether a guest that wrote the text had come to rest when the watching ended. A guest that is
    /// gone counts as at rest if it announced its end, or the user ended it.
    fn is_at_rest(&self, ending: Ending, runner: &RunnerEnd) -> bool {
        let shutdown = runner.shutdown.as_deref();
        ending != Ending::QemuGone
            || self.findings.shutdown().is_some()
            || self.user_quit
            || runner.debugged
            // A restart without a message may be a panic of a quiet kernel.
            || matches!(shutdown, None | Some("guest-shutdown"))
    }

    /// The state of the guest.
    fn unfinished(&self) -> Unfinished {
        Unfinished {
            expected: self
                .goal
                .expect
                .clone()
                .filter(|_| self.seen_after.is_none()),
            seen: self
                .goal
                .expect
                .clone()
                .filter(|_| self.seen_after.is_some()),
            elsewhere: self.console.seen() == Seen::Elsewhere,
            programs_said: self.console.said(),
            last_line: self.console.last_line(),
            reached: match self.findings.reached() {
                Reached::Nothing if self.has_output => Reached::Output,
                reached => reached,
            },
        }
    }
}

#[cfg(test)]
mod tests;
