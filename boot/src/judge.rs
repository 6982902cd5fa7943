//! What the end of the watching means.

use crate::verdict::Verdict;
use crate::watch::{Ending, Watch};

/// How QEMU ended, and what it said about it.
#[derive(Debug, Default)]
pub struct QemuEnd {
    /// Its exit status, unless it is the one that follows a guest's power-off.
    pub failure: Option<String>,
    /// Its stderr up to the guest's first byte.
    pub said: Vec<String>,
    /// The command to try by hand.
    pub shell_line: String,
}

impl Watch {
    /// What it means that the watching ended with `ending`.
    pub fn verdict(&self, ending: Ending, qemu: QemuEnd) -> Verdict {
        match ending {
            Ending::Signal(signal) => Verdict::Signal(signal),
            Ending::StdoutClosed => Verdict::StdoutClosed,
            Ending::TerminalGone => Verdict::TerminalGone,
            _ => match self.console.panic_reason() {
                Some(reason) => Verdict::Panic { reason },
                None => self.without_panic(ending, qemu),
            },
        }
    }

    fn without_panic(&self, ending: Ending, qemu: QemuEnd) -> Verdict {
        let expected = self.goal.expect.clone().filter(|_| self.seen.is_none());
        let last_line = self.console.last_line();
        let by_the_user = |expected| match expected {
            Some(expected) => Verdict::Abandoned { expected },
            None => Verdict::Ended,
        };
        if ending == Ending::Interrupted {
            return by_the_user(expected);
        }
        if ending == Ending::TimedOut {
            return Verdict::Timeout {
                limit: self.goal.timeout.unwrap_or_default(),
                expected,
                last_line,
            };
        }
        match (qemu.failure, self.seen, &self.goal.expect) {
            (Some(status), _, _) if !self.has_output() => Verdict::QemuFailed {
                status,
                said: qemu.said,
                shell_line: qemu.shell_line,
            },
            (None, Some(at), Some(text)) => Verdict::Seen {
                text: text.clone(),
                after: at - self.started,
            },
            (None, _, _) if self.keys.reached_qemu() => by_the_user(expected),
            // With nothing to wait for, a guest that says goodbye ends the session as its user
            // wished. One that just vanishes, as after a triple fault, does not.
            (None, _, None)
                if last_line
                    .as_ref()
                    .is_some_and(|line| line.contains("reboot: ")) =>
            {
                Verdict::Ended
            }
            (status, _, _) => Verdict::GuestGone {
                expected,
                status,
                last_line,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::watch::Goal;

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

    #[test]
    fn a_panic_outweighs_the_text_and_the_user() {
        use Ending::*;
        for ending in [Expected, Interrupted, QemuGone, TimedOut] {
            let watch = watch(Some("Hello"), "Hello\nKernel panic - not syncing: x");
            let verdict = watch.verdict(ending, QemuEnd::default());
            assert_eq!(verdict, Verdict::Panic { reason: "x".into() });
        }
    }

    #[test]
    fn the_end_of_qemu_is_judged_by_what_came_before() {
        let hello = Some("Hello");
        let failed = Some("exit status: 1");
        for (case, expect, output, typed, failure, code) in [
            ("QEMU could not start", hello, "", "", failed, 2),
            ("QEMU crashed under the guest", hello, "Hel", "", failed, 1),
            (
                "QEMU crashed while it settled",
                hello,
                "Hello",
                "",
                failed,
                1,
            ),
            ("power-off while it settled", hello, "Hello", "", None, 0),
            (
                "power-off too soon",
                hello,
                "reboot: Power down\n",
                "",
                None,
                1,
            ),
            ("triple fault", hello, "", "", None, 1),
            ("triple fault in a session", None, "# ", "", None, 1),
            (
                "power-off in a session",
                None,
                "[ 1.2] reboot: Power down\n",
                "",
                None,
                0,
            ),
            ("the user quit QEMU", None, "# ", "\x01x", None, 0),
            (
                "the user quit QEMU too soon",
                hello,
                "# ",
                "\x01x",
                None,
                130,
            ),
        ] {
            let mut watch = watch(expect, output);
            watch.keys.feed(typed.as_bytes());
            let qemu = QemuEnd {
                failure: failure.map(Into::into),
                ..QemuEnd::default()
            };
            assert_eq!(
                watch.verdict(Ending::QemuGone, qemu).exit_code(),
                code,
                "{case}"
            );
        }
    }
}
