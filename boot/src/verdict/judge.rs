//! What the end of the watching means.

use std::time::Duration;

use crate::console::stream::{Console, Seen};
use crate::machine::command::GuestExit;
use crate::verdict::diagnosis::Finding;
use crate::verdict::findings::{Findings, Reached, Shutdown};
use crate::verdict::kinds::{Failure, QemuWords, Unfinished, Verdict};
use crate::verdict::words;

/// What is waited for.
#[derive(Clone, Debug, Default)]
pub struct Goal {
    /// The text that makes the boot a success.
    pub expect: Option<String>,
    /// Whether it counts whoever writes it, the kernel for example. If not, a program has to.
    pub anywhere: bool,
    /// How long the guest is watched after the text, before it is waited for to come to rest.
    pub settle: Duration,
    /// How long the text may take.
    pub timeout: Option<Duration>,
    /// How long the guest may be silent before the text.
    pub stall: Option<Duration>,
}

/// Why the watching ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The text was seen, and the guest has come to rest.
    Expected,
    /// A panic was seen, and the time for its details is over.
    Panicked,
    /// The kernel has found a bug in itself, which no text outweighs, and the time for a panic is over.
    Oopsed,
    /// The guest has stopped, and left its machine on.
    Halted,
    /// The time for the text is over.
    TimedOut,
    /// The guest was silent for too long.
    Stalled,
    /// QEMU or KVM has stopped the guest, and nobody has started it again.
    Stopped,
    /// QEMU has closed the console.
    QemuGone,
    /// The user asked for it.
    Interrupted,
    /// Nobody reads the output any more.
    StdoutClosed,
    /// Nobody can type any more.
    TerminalGone,
    /// A signal asked for it.
    Signal(i32),
}

/// How QEMU ended, and what it said about it.
#[derive(Debug, Default)]
pub struct QemuEnd {
    /// Its exit status, unless it is the one that follows a guest's power-off.
    pub failure: Option<String>,
    /// The same status, if the guest has chosen it.
    pub guest_exit: Option<GuestExit>,
    /// Why the machine was shut down, as QMP has it (`ShutdownCause`), if QEMU ended by itself.
    pub shutdown: Option<String>,
    /// Whether a debugger had it in its hand, and ended it.
    pub debugged: bool,
    /// Why it has stopped the guest, as QMP has it (`RunState`), if it has and said so.
    pub run_state: Option<String>,
    /// Its stderr: the first and the last lines.
    pub said: Vec<String>,
    /// Whether the user has seen its stderr.
    pub said_is_shown: bool,
    /// The command to try by hand.
    pub shell_line: String,
}

/// What was waited for, and what was seen of the guest.
#[derive(Debug)]
pub struct Observed<'a> {
    /// What was waited for.
    pub goal: &'a Goal,
    /// What the guest said.
    pub console: &'a Console,
    /// What its kernel said.
    pub findings: &'a Findings,
    /// Whether the guest has written anything.
    pub has_output: bool,
    /// When the expected text was seen, since QEMU's start.
    pub seen_after: Option<Duration>,
    /// Whether the user has told QEMU to end, by a key or in its monitor.
    pub user_quit: bool,
}

impl Observed<'_> {
    /// What it means that the watching ended with `ending`.
    pub fn verdict(&self, ending: Ending, qemu: QemuEnd) -> Verdict {
        match ending {
            Ending::Signal(signal) => return Verdict::Signal { signal },
            Ending::StdoutClosed => return Verdict::StdoutClosed,
            Ending::TerminalGone => return Verdict::TerminalGone,
            _ => {}
        }
        let end = self.end(ending, qemu);
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
            // What came after that does not matter.
            return failed(None);
        }
        match end {
            // What the user or QEMU did, no complaint of the guest's explains.
            Verdict::Ended
            | Verdict::Abandoned { .. }
            | Verdict::QemuFailed { .. }
            | Verdict::QemuCrashed { .. }
            | Verdict::QemuStopped { .. } => end,
            // A kernel may complain and still do what it is there for. One with a bug is good for
            // nothing.
            Verdict::Seen { .. } if !self.findings.has_oops() => end,
            end => failed(Some(Box::new(end))),
        }
    }

    /// What it means, whatever the kernel has complained about.
    fn end(&self, ending: Ending, qemu: QemuEnd) -> Verdict {
        let guest = self.unfinished();
        let by_the_user = |expected| match expected {
            Some(expected) => Verdict::Abandoned { expected },
            None => Verdict::Ended,
        };
        let limit = |limit: Option<_>| limit.unwrap_or_default();
        let at_rest = self.is_at_rest(ending, &qemu);
        let said = QemuWords {
            lines: qemu.said,
            shown: qemu.said_is_shown,
        };
        match ending {
            Ending::Stopped => {
                let run_state = qemu.run_state;
                return Verdict::QemuStopped {
                    run_state,
                    said,
                    guest,
                };
            }
            Ending::Interrupted => return by_the_user(guest.expected),
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
        let failure = match qemu.guest_exit {
            Some(exit) if self.seen_after.is_none() => return Verdict::GuestExited { exit, guest },
            // As with a power-off, the text decides.
            Some(_) => None,
            None => qemu.failure,
        };
        match (failure, self.seen_after, &self.goal.expect) {
            (Some(status), _, _) if !self.has_output => Verdict::QemuFailed {
                status,
                // Whatever has been shown: it is all that there is to go by.
                said: QemuWords {
                    shown: false,
                    ..said
                },
                shell_line: qemu.shell_line,
            },
            (Some(status), _, _) => Verdict::QemuCrashed {
                status,
                said,
                guest,
            },
            (None, Some(after), Some(text)) if at_rest => Verdict::Seen {
                text: text.clone(),
                after,
            },
            (None, _, _) if self.user_quit || qemu.debugged => by_the_user(guest.expected),
            (None, _, expected) => match self.findings.shutdown() {
                // With nothing to wait for, a guest that says goodbye ends the session as its user
                // wished. One that just vanishes, as after a triple fault, does not, nor does one that
                // gave up.
                Some(_) if expected.is_none() && !words::gave_up(&guest.programs_said) => {
                    Verdict::Ended
                }
                Some(Shutdown::PowerOff) => Verdict::PoweredOff(guest),
                Some(Shutdown::Halt) => Verdict::Halted(guest),
                Some(Shutdown::Restart) => Verdict::Restarted(guest),
                // A quiet kernel says no goodbye. QEMU knows all the same.
                None => match qemu.shutdown.as_deref() {
                    Some("guest-shutdown") if expected.is_none() => Verdict::Ended,
                    Some("guest-shutdown") => Verdict::PoweredOff(guest),
                    // Its exit status is that of a power-off.
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

    /// Whether a guest that has written the text, and whose watching ended in that way, has come to
    /// rest. It may be gone if that is what it wanted, or somebody else did.
    fn is_at_rest(&self, ending: Ending, qemu: &QemuEnd) -> bool {
        let shutdown = qemu.shutdown.as_deref();
        ending != Ending::QemuGone
            || self.findings.shutdown().is_some()
            || self.user_quit
            || qemu.debugged
            // A panic that the kernel keeps to itself is a restart without a word.
            || matches!(shutdown, None | Some("guest-shutdown"))
    }

    /// What is left to do for the guest.
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
mod tests {
    use super::*;

    /// A guest of which that was expected, and that has written that.
    struct Guest {
        goal: Goal,
        console: Console,
        findings: Findings,
        has_output: bool,
        user_quit: bool,
    }

    fn guest(expect: Option<&str>, output: &str) -> Guest {
        let mut guest = Guest {
            goal: Goal {
                expect: expect.map(Into::into),
                ..Goal::default()
            },
            console: Console::new(expect, false),
            findings: Findings::default(),
            has_output: !output.is_empty(),
            user_quit: false,
        };
        let Guest {
            console, findings, ..
        } = &mut guest;
        console.feed(output.as_bytes(), |message| findings.take(message));
        guest
    }

    impl Guest {
        fn verdict(&self, ending: Ending, qemu: QemuEnd) -> Verdict {
            let observed = Observed {
                goal: &self.goal,
                console: &self.console,
                findings: &self.findings,
                has_output: self.has_output,
                seen_after: (self.console.seen() == Seen::Yes).then_some(Duration::ZERO),
                user_quit: self.user_quit,
            };
            observed.verdict(ending, qemu)
        }
    }

    const OOPS: &str = "[    0.500000] Oops: invalid opcode: 0000 [#1]\n";
    const TRUNCATED: &str = "[    0.240000] Initramfs unpacking failed: read error\n";
    const NO_INIT: &str =
        "[    0.470000] Kernel panic - not syncing: No working init found.  Try\n";

    #[test]
    fn a_panic_outweighs_the_text_and_the_user() {
        use Ending::*;
        for ending in [Expected, Interrupted, QemuGone, TimedOut, Panicked] {
            let guest = guest(Some("Hello"), "Hello\nKernel panic - not syncing: x");
            let verdict = guest.verdict(ending, QemuEnd::default());
            assert_eq!(verdict.sentence(), "kernel panic: x");
            assert_eq!(verdict.exit_code(), 1);
        }
    }

    #[test]
    fn nothing_outweighs_what_ended_boot_itself() {
        let guest = guest(None, NO_INIT);
        for (ending, code) in [
            (Ending::Signal(15), 143),
            (Ending::StdoutClosed, 141),
            (Ending::TerminalGone, 129),
        ] {
            let verdict = guest.verdict(ending, QemuEnd::default());
            assert_eq!(verdict.exit_code(), code);
        }
    }

    #[test]
    fn what_the_kernel_complained_about_first_is_the_cause_if_the_boot_fails() {
        use Ending::*;
        let both = format!("{TRUNCATED}{NO_INIT}");
        let gone = format!("{TRUNCATED}reboot: Power down\n");
        let hello = format!("{TRUNCATED}Hello\n");
        let hello_oops = format!("{OOPS}Hello\n");
        for (output, ending, kind, then, end) in [
            (NO_INIT, QemuGone, "no-init", &[][..], None),
            (&both, QemuGone, "unpacking-failed", &["no-init"], None),
            (
                TRUNCATED,
                TimedOut,
                "unpacking-failed",
                &[],
                Some("timeout"),
            ),
            (TRUNCATED, Stalled, "unpacking-failed", &[], Some("stalled")),
            (TRUNCATED, QemuGone, "unpacking-failed", &[], Some("reset")),
            (
                &gone,
                QemuGone,
                "unpacking-failed",
                &[],
                Some("powered-off"),
            ),
            (TRUNCATED, Interrupted, "abandoned", &[], None),
            (&hello, Expected, "seen", &[], None),
            (OOPS, Oopsed, "oops", &[], None),
            (OOPS, Interrupted, "abandoned", &[], None),
            (&hello_oops, Expected, "oops", &[], Some("seen")),
        ] {
            let guest = guest(Some("Hello"), output);
            let verdict = guest.verdict(ending, QemuEnd::default());
            assert_eq!(verdict.kind(), kind, "{output} {ending:?}");
            if let Verdict::Failed(failure) = &verdict {
                let kinds = failure.then.iter().map(|finding| finding.cause.kind());
                assert_eq!(kinds.collect::<Vec<_>>(), then, "{output} {ending:?}");
                let found = failure.end.as_ref().map(|end| end.kind());
                assert_eq!(found, end, "{output} {ending:?}");
            }
        }
    }

    #[test]
    fn the_end_of_qemu_is_judged_by_what_came_before() {
        let hello = Some("Hello");
        let failed = Some("exit status: 1");
        let power_down = "[    1.200000] reboot: Power down\n";
        let halted = "[    1.200000] reboot: System halted\n";
        let restarting = "[    1.200000] reboot: Restarting system\n";
        for (case, expect, output, typed, failure, kind) in [
            ("QEMU could not start", hello, "", "", failed, "qemu-failed"),
            ("QEMU crashed", hello, "Hel", "", failed, "qemu-crashed"),
            (
                "crashed, settling",
                hello,
                "Hello",
                "",
                failed,
                "qemu-crashed",
            ),
            ("gone while it settled", hello, "Hello", "", None, "seen"),
            (
                "power-off too soon",
                hello,
                power_down,
                "",
                None,
                "powered-off",
            ),
            ("halted too soon", hello, halted, "", None, "halted"),
            (
                "restarted too soon",
                hello,
                restarting,
                "",
                None,
                "restarted",
            ),
            ("triple fault", hello, "", "", None, "reset"),
            ("triple fault in a session", None, "# ", "", None, "reset"),
            (
                "power-off in a session",
                None,
                power_down,
                "",
                None,
                "ended",
            ),
            ("restart in a session", None, restarting, "", None, "ended"),
            (
                "an initramfs that gave up",
                None,
                "Rebooting automatically due to panic= boot argument\n\
                 [    1.200000] reboot: Restarting system\n",
                "",
                None,
                "restarted",
            ),
            (
                "talk of it in a session",
                None,
                "# echo reboot: Power down\n",
                "",
                None,
                "reset",
            ),
            ("the user quit QEMU", None, "# ", "\x01x", None, "ended"),
            (
                "the user quit too soon",
                hello,
                "# ",
                "\x01x",
                None,
                "abandoned",
            ),
        ] {
            let mut guest = guest(expect, output);
            guest.user_quit = !typed.is_empty();
            let qemu = QemuEnd {
                failure: failure.map(Into::into),
                ..QemuEnd::default()
            };
            let verdict = guest.verdict(Ending::QemuGone, qemu);
            assert_eq!(verdict.kind(), kind, "{case}");
        }
    }

    #[test]
    fn an_end_by_the_guests_own_hand_is_not_a_crash() {
        for (output, kind, code) in [
            ("", "guest-exited", 1),
            ("x", "guest-exited", 1),
            ("Hello", "seen", 0),
            (NO_INIT, "no-init", 1),
        ] {
            let guest_exit = Some(GuestExit {
                status: 33,
                written: Some(16),
            });
            let qemu = QemuEnd {
                failure: Some("exit status: 33".into()),
                guest_exit,
                ..QemuEnd::default()
            };
            let verdict = guest(Some("Hello"), output).verdict(Ending::QemuGone, qemu);
            assert_eq!((verdict.kind(), verdict.exit_code()), (kind, code));
        }
    }

    #[test]
    fn a_text_that_a_guest_did_not_survive_is_told() {
        let qemu = QemuEnd {
            shutdown: Some("guest-reset".into()),
            ..QemuEnd::default()
        };
        let verdict = guest(Some("Hello"), "Hello\n").verdict(Ending::QemuGone, qemu);
        assert_eq!(
            verdict.sentence(),
            "the guest reset or powered off without a word from its kernel after \"Hello\" was seen; \
             the last line was \"Hello\""
        );
        assert!(verdict.help().is_some_and(|help| help.contains("panic")));
    }

    #[test]
    fn a_text_that_only_the_kernel_wrote_is_told() {
        let down = "[    1.200000] reboot: Power down\n";
        let verdict = guest(Some("Power down"), down);
        let verdict = verdict.verdict(Ending::QemuGone, QemuEnd::default());
        assert_eq!(verdict.kind(), "powered-off");
        assert!(
            verdict
                .help()
                .is_some_and(|help| help.contains("--expect-anywhere"))
        );
    }

    #[test]
    fn the_end_of_a_debugger_is_the_users() {
        for (expect, kind) in [(None, "ended"), (Some("Hello"), "abandoned")] {
            let qemu = QemuEnd {
                debugged: true,
                ..QemuEnd::default()
            };
            let verdict = guest(expect, "x").verdict(Ending::QemuGone, qemu);
            assert_eq!(verdict.kind(), kind);
        }
    }

    #[test]
    fn what_a_quiet_kernel_does_not_say_qemu_does() {
        let hello = Some("Hello");
        for (expect, output, reason, kind) in [
            (hello, "x", "guest-shutdown", "powered-off"),
            (None, "x", "guest-shutdown", "ended"),
            (hello, "x", "guest-reset", "reset"),
            (None, "x", "guest-reset", "reset"),
            (hello, "x", "host-signal", "qemu-crashed"),
            (hello, "Hello", "host-signal", "qemu-crashed"),
            (hello, "Hello", "guest-shutdown", "seen"),
            // A panic with loglevel=0, or a triple fault.
            (hello, "Hello", "guest-reset", "reset"),
            (hello, "Hello", "guest-panic", "reset"),
            (
                hello,
                "Hello\n[    1.200000] reboot: Restarting system\n",
                "guest-reset",
                "seen",
            ),
            (
                hello,
                "[    1.200000] reboot: Restarting system\n",
                "guest-reset",
                "restarted",
            ),
        ] {
            let qemu = QemuEnd {
                shutdown: Some(reason.into()),
                ..QemuEnd::default()
            };
            let verdict = guest(expect, output).verdict(Ending::QemuGone, qemu);
            assert_eq!(verdict.kind(), kind, "{reason} {output}");
        }
    }
}
