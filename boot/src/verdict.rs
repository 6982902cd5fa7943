//! The outcome of a boot, as a sentence and as an exit code.

use std::fmt;
use std::time::Duration;

/// How a boot ended.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// The expected text was seen.
    Seen {
        /// The text.
        text: String,
        /// Since QEMU's start.
        after: Duration,
    },
    /// The user ended an interactive session, through boot, QEMU, or the guest's own power-off.
    Ended,
    /// The user ended it before the expected text was seen.
    Abandoned {
        /// The text.
        expected: String,
    },
    /// The kernel panicked.
    Panic {
        /// In the kernel's words.
        reason: String,
    },
    /// The guest powered off or reset, or QEMU failed under it.
    GuestGone {
        /// The text that was still expected.
        expected: Option<String>,
        /// QEMU's exit status, if it is not that of a guest's power-off.
        status: Option<String>,
        /// The last line on the console, if there was any.
        last_line: Option<String>,
    },
    /// Time ran out.
    Timeout {
        /// How much there was.
        limit: Duration,
        /// The text that was still expected.
        expected: Option<String>,
        /// The last line on the console, if there was any.
        last_line: Option<String>,
    },
    /// QEMU failed before there was a guest.
    QemuFailed {
        /// Its exit status.
        status: String,
        /// Its stderr, line by line.
        said: Vec<String>,
        /// The command to try by hand.
        shell_line: String,
    },
    /// Whoever read boot's stdout has stopped reading.
    StdoutClosed,
    /// The terminal went away.
    TerminalGone,
    /// A signal asked boot to end.
    Signal(i32),
}

impl Verdict {
    /// 0 success, 1 the guest failed, 2 the host failed, 124 as timeout(1) has it, 128 + n for
    /// signal n.
    pub fn exit_code(&self) -> u8 {
        const SIGHUP: u8 = 1;
        const SIGINT: u8 = 2;
        const SIGPIPE: u8 = 13;
        match self {
            Verdict::Seen { .. } | Verdict::Ended => 0,
            Verdict::Panic { .. } | Verdict::GuestGone { .. } => 1,
            Verdict::QemuFailed { .. } => 2,
            Verdict::Timeout { .. } => 124,
            Verdict::Abandoned { .. } => 128 + SIGINT,
            Verdict::StdoutClosed => 128 + SIGPIPE,
            Verdict::TerminalGone => 128 + SIGHUP,
            Verdict::Signal(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Seen { text, after } => {
                write!(
                    f,
                    "saw {text:?} {:.2} s after QEMU's start",
                    after.as_secs_f64()
                )
            }
            Verdict::Ended => f.write_str("ended"),
            Verdict::Abandoned { expected } => write!(f, "ended before {expected:?} was seen"),
            Verdict::Panic { reason } => write!(f, "kernel panic: {reason}"),
            Verdict::GuestGone {
                expected,
                status,
                last_line,
            } => {
                match status {
                    None => f.write_str("the guest powered off or reset")?,
                    Some(status) => write!(f, "QEMU ended with {status}")?,
                }
                if let Some(text) = expected {
                    write!(f, " before {text:?} was seen")?;
                }
                write_last_line(f, last_line)
            }
            Verdict::Timeout {
                limit,
                expected,
                last_line,
            } => {
                match expected {
                    Some(text) => write!(f, "{text:?} was not seen in {} s", limit.as_secs_f64())?,
                    None => write!(f, "the {} s of --timeout are over", limit.as_secs_f64())?,
                }
                write_last_line(f, last_line)
            }
            Verdict::QemuFailed {
                status,
                said,
                shell_line,
            } => {
                write!(
                    f,
                    "QEMU ended with {status} before the guest wrote anything:"
                )?;
                if said.is_empty() {
                    f.write_str(" it did not say why")?;
                }
                said.iter()
                    .try_for_each(|line| write!(f, "\n  qemu: {line}"))?;
                write!(f, "\nTo look closer, run what boot ran:\n  {shell_line}")
            }
            Verdict::StdoutClosed => f.write_str("ended, since nobody reads its output any more"),
            Verdict::TerminalGone => f.write_str("ended, since its terminal is gone"),
            Verdict::Signal(signal) => write!(f, "ended by signal {signal}"),
        }
    }
}

fn write_last_line(f: &mut fmt::Formatter<'_>, last_line: &Option<String>) -> fmt::Result {
    match last_line {
        Some(line) => write!(f, "; the last line was {line:?}"),
        None => f.write_str("; the guest wrote nothing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences() {
        let text = || "Hello, world!".to_owned();
        let gone = |expected, status, last_line| Verdict::GuestGone {
            expected,
            status,
            last_line,
        };
        for (verdict, sentence) in [
            (
                Verdict::Seen {
                    text: text(),
                    after: Duration::from_millis(420),
                },
                r#"saw "Hello, world!" 0.42 s after QEMU's start"#,
            ),
            (
                Verdict::Panic {
                    reason: "No working init found.".into(),
                },
                "kernel panic: No working init found.",
            ),
            (
                gone(None, None, None),
                "the guest powered off or reset; the guest wrote nothing",
            ),
            (
                gone(Some(text()), Some("signal 9".into()), Some("it's".into())),
                r#"QEMU ended with signal 9 before "Hello, world!" was seen; the last line was "it's""#,
            ),
            (
                Verdict::Timeout {
                    limit: Duration::from_millis(1500),
                    expected: Some(text()),
                    last_line: None,
                },
                r#""Hello, world!" was not seen in 1.5 s; the guest wrote nothing"#,
            ),
            (
                Verdict::Timeout {
                    limit: Duration::from_secs(60),
                    expected: None,
                    last_line: Some("#".into()),
                },
                r##"the 60 s of --timeout are over; the last line was "#""##,
            ),
            (
                Verdict::QemuFailed {
                    status: "exit status: 1".into(),
                    said: vec!["no".into()],
                    shell_line: "q -m 1".into(),
                },
                "QEMU ended with exit status: 1 before the guest wrote anything:\n  qemu: no\n\
                 To look closer, run what boot ran:\n  q -m 1",
            ),
        ] {
            assert_eq!(verdict.to_string(), sentence);
        }
    }

    #[test]
    fn exit_codes_of_signals() {
        assert_eq!(Verdict::Signal(15).exit_code(), 143);
        assert_eq!(Verdict::StdoutClosed.exit_code(), 141);
        assert_eq!(Verdict::TerminalGone.exit_code(), 129);
    }
}
