//! What the end of the watching means.

use crate::console::stream::{Farewell, Seen};
use crate::session::watch::{Ending, Watch};
use crate::verdict::diagnosis::Finding;
use crate::verdict::kinds::{Failure, QemuWords, Unfinished, Verdict};
use crate::verdict::words;

/// How QEMU ended, and what it said about it.
#[derive(Debug, Default)]
pub struct QemuEnd {
    /// Its exit status, unless it is the one that follows a guest's power-off.
    pub failure: Option<String>,
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

impl Watch {
    /// What it means that the watching ended with `ending`.
    pub fn verdict(&self, ending: Ending, qemu: QemuEnd) -> Verdict {
        match ending {
            Ending::Signal(signal) => return Verdict::Signal { signal },
            Ending::StdoutClosed => return Verdict::StdoutClosed,
            Ending::TerminalGone => return Verdict::TerminalGone,
            _ => {}
        }
        let end = self.end(ending, qemu);
        let mut findings = self.console.findings().into_iter();
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
            Verdict::Seen { .. } if !self.console.oopsed() => end,
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
        match (qemu.failure, self.seen, &self.goal.expect) {
            (Some(status), _, _) if !self.has_output() => Verdict::QemuFailed {
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
            (None, Some(at), Some(text)) if at_rest => Verdict::Seen {
                text: text.clone(),
                after: at - self.started,
            },
            (None, _, _) if self.keys.reached_qemu() || qemu.debugged => {
                by_the_user(guest.expected)
            }
            (None, _, expected) => match self.console.farewell() {
                // With nothing to wait for, a guest that says goodbye ends the session as its user
                // wished. One that just vanishes, as after a triple fault, does not, nor does one that
                // gave up.
                Some(_) if expected.is_none() && !words::gave_up(&guest.programs_said) => {
                    Verdict::Ended
                }
                Some(Farewell::PowerOff) => Verdict::PoweredOff(guest),
                Some(Farewell::Halt) => Verdict::Halted(guest),
                Some(Farewell::Restart) => Verdict::Restarted(guest),
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
            || self.console.farewell().is_some()
            || self.keys.reached_qemu()
            || qemu.debugged
            // A panic that the kernel keeps to itself is a restart without a word.
            || matches!(shutdown, None | Some("guest-shutdown"))
    }

    /// What is left to do for the guest.
    fn unfinished(&self) -> Unfinished {
        Unfinished {
            expected: self.goal.expect.clone().filter(|_| self.seen.is_none()),
            seen: self.goal.expect.clone().filter(|_| self.seen.is_some()),
            elsewhere: self.console.seen() == Seen::Elsewhere,
            programs_said: self.console.said(),
            last_line: self.console.last_line(),
            reached: self.console.reached(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::session::watch::Goal;

    fn watch(expect: Option<&str>, output: &str) -> Watch {
        let goal = Goal {
            expect: expect.map(Into::into),
            ..Goal::default()
        };
        let start = Instant::now();
        let mut watch = Watch::new(goal, start);
        if !output.is_empty() {
            watch.output(output.as_bytes(), start);
        }
        watch
    }

    const OOPS: &str = "[    0.500000] Oops: invalid opcode: 0000 [#1]\n";
    const TRUNCATED: &str = "[    0.240000] Initramfs unpacking failed: read error\n";
    const NO_INIT: &str =
        "[    0.470000] Kernel panic - not syncing: No working init found.  Try\n";

    #[test]
    fn a_panic_outweighs_the_text_and_the_user() {
        use Ending::*;
        for ending in [Expected, Interrupted, QemuGone, TimedOut, Panicked] {
            let watch = watch(Some("Hello"), "Hello\nKernel panic - not syncing: x");
            let verdict = watch.verdict(ending, QemuEnd::default());
            assert_eq!(verdict.sentence(), "kernel panic: x");
            assert_eq!(verdict.exit_code(), 1);
        }
    }

    #[test]
    fn nothing_outweighs_what_ended_boot_itself() {
        let watch = watch(None, NO_INIT);
        for (ending, code) in [
            (Ending::Signal(15), 143),
            (Ending::StdoutClosed, 141),
            (Ending::TerminalGone, 129),
        ] {
            let verdict = watch.verdict(ending, QemuEnd::default());
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
            let watch = watch(Some("Hello"), output);
            let verdict = watch.verdict(ending, QemuEnd::default());
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
            let mut watch = watch(expect, output);
            watch.keys.feed(typed.as_bytes());
            let qemu = QemuEnd {
                failure: failure.map(Into::into),
                ..QemuEnd::default()
            };
            let verdict = watch.verdict(Ending::QemuGone, qemu);
            assert_eq!(verdict.kind(), kind, "{case}");
        }
    }

    #[test]
    fn a_text_that_a_guest_did_not_survive_is_told() {
        let qemu = QemuEnd {
            shutdown: Some("guest-reset".into()),
            ..QemuEnd::default()
        };
        let verdict = watch(Some("Hello"), "Hello\n").verdict(Ending::QemuGone, qemu);
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
        let verdict = watch(Some("Power down"), down);
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
            let verdict = watch(expect, "x").verdict(Ending::QemuGone, qemu);
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
            let verdict = watch(expect, output).verdict(Ending::QemuGone, qemu);
            assert_eq!(verdict.kind(), kind, "{reason} {output}");
        }
    }
}
