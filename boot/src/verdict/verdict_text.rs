//! A verdict in words: a sentence, the quoted messages, and advice.

use std::fmt;

use crate::verdict::diagnosis::{Cause, Finding};
use crate::verdict::findings::Reached;
use crate::verdict::program_messages;
use crate::verdict::{Failure, Unfinished, Verdict};

impl fmt::Display for Verdict {
    /// The sentence on the first line; quotes and advice on the next lines, indented.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())?;
        if let Verdict::Failed(failure) = self {
            for line in &failure.programs_said {
                write!(f, "\n  init: {line}")?;
            }
        }
        for line in self.kernel_said() {
            write!(f, "\n  kernel: {line}")?;
        }
        for line in self
            .qemu_said()
            .filter(|said| !said.shown)
            .into_iter()
            .flat_map(|said| &said.lines)
        {
            write!(f, "\n  qemu: {line}")?;
        }
        if let Verdict::QemuFailed { shell_line, .. } = self {
            write!(f, "\nTo see more, run QEMU by hand:\n  {shell_line}")?;
        }
        self.help()
            .map_or(Ok(()), |help| write!(f, "\n  help: {help}"))
    }
}

impl Verdict {
    /// The sentence: one line without control characters.
    pub fn sentence(&self) -> String {
        match self {
            Verdict::Seen { text, after } => {
                let after = after.as_secs_f64();
                format!("saw {text:?} {after:.2} s after QEMU's start")
            }
            Verdict::Ended => "ended".to_owned(),
            Verdict::Abandoned { expected } => format!("ended before {expected:?} was seen"),
            Verdict::Failed(failure) => failure.sentence(),
            Verdict::PoweredOff(guest) => guest.sentence("the guest powered off"),
            Verdict::Halted(guest) => guest.sentence("the guest halted"),
            Verdict::Restarted(guest) => guest.sentence("the guest restarted"),
            Verdict::Reset(guest) => {
                guest.sentence("the guest reset or powered off without a message from its kernel")
            }
            Verdict::GuestExited { exit, guest } => {
                let written = exit
                    .written
                    .map(|value| format!(" ({value} written to isa-debug-exit)"));
                guest.sentence(&format!(
                    "the guest ended QEMU with exit status {}{}",
                    exit.status,
                    written.unwrap_or_default()
                ))
            }
            Verdict::Timeout { limit, guest } => {
                let limit = limit.as_secs_f64();
                let event = match &guest.expected {
                    Some(text) => format!("{text:?} was not seen in {limit} s"),
                    None => format!("the {limit} s of --timeout have passed"),
                };
                event + &guest.last_words()
            }
            Verdict::Stalled { limit, guest } => {
                let limit = limit.as_secs_f64();
                guest.sentence(&format!("the guest was silent for {limit} s"))
            }
            Verdict::QemuFailed { status, said, .. } => {
                let why = if said.lines.is_empty() {
                    " it did not say why"
                } else {
                    ""
                };
                format!("QEMU ended with {status} before the guest wrote anything:{why}")
            }
            Verdict::QemuCrashed { status, guest, .. } => {
                guest.sentence(&format!("QEMU ended with {status}"))
            }
            Verdict::QemuStopped {
                run_state, guest, ..
            } => {
                let why = run_state.as_ref().map(|state| format!(" ({state})"));
                guest.sentence(&format!(
                    "QEMU stopped the guest{}",
                    why.unwrap_or_default()
                ))
            }
            Verdict::StdoutClosed => "ended, since nobody reads its output any more".to_owned(),
            Verdict::TerminalGone => "ended, since its terminal is gone".to_owned(),
            Verdict::Signal { signal } => format!("ended by signal {signal}"),
        }
    }

    /// The kernel's messages that led to the verdict.
    pub fn kernel_said(&self) -> Vec<&str> {
        let Verdict::Failed(failure) = self else {
            return vec![];
        };
        let fault = failure.findings().find_map(|finding| match &finding.cause {
            Cause::InitKilled { fault, .. } => fault.as_deref(),
            _ => None,
        });
        let said = failure.findings().map(|finding| finding.said.as_str());
        let mut said: Vec<_> = said.collect();
        // The message about the fault precedes the panic, which is the last.
        said.splice(said.len() - 1..said.len() - 1, fault);
        said
    }

    /// The advice, if there is some.
    pub fn help(&self) -> Option<&'static str> {
        if self.guest().is_some_and(|guest| guest.elsewhere) {
            return Some(
                "The kernel or the firmware wrote the text, and that does not count: the kernel repeats its command line, for \
                 example. With --expect-anywhere TEXT the text counts whoever writes it.",
            );
        }
        match self {
            Verdict::Failed(failure) => {
                let by_program = program_messages::help(&failure.programs_said);
                Some(by_program.unwrap_or_else(|| failure.cause.cause.help()))
            }
            Verdict::PoweredOff(guest) | Verdict::Restarted(guest) => {
                program_messages::help(&guest.programs_said).or(Some(
                    "Init, or a program that it started, called reboot(2) before the text was written.",
                ))
            }
            Verdict::Halted(guest) => program_messages::help(&guest.programs_said).or(Some(
                "Init, or a program that it started, called reboot(2) before the text was written. (The kernel also halts on a \
                 power-off if it cannot power off this machine.)",
            )),
            Verdict::Reset(Unfinished { seen: Some(_), .. }) => Some(
                "The kernel probably panicked and printed no message (loglevel=0): boot tells it to restart after a panic \
                 (panic=-1). Or a triple fault reset the CPU. If init restarts the machine on purpose, boot without loglevel=0, or \
                 let init power off.",
            ),
            Verdict::Reset(guest) => Some(match guest.reached {
                Reached::Nothing | Reached::Output => {
                    "The guest has too little memory for the kernel and the initramfs (--memory), or the kernel is for another CPU \
                     or machine. So early, the kernel cannot report a fault: it becomes a triple fault, which resets the CPU."
                }
                Reached::Kernel => {
                    "A bug in the kernel caused a triple fault, which resets the CPU, or the kernel restarted or powered off \
                     without a message because of loglevel= on its command line."
                }
                Reached::Init => {
                    "Init may have called reboot(2), and the kernel printed no message because of loglevel= on its command line. \
                     If not, a bug in the kernel caused a triple fault, which resets the CPU."
                }
            }),
            Verdict::Timeout { guest, .. } | Verdict::Stalled { guest, .. } => {
                Some(match guest.reached {
                    Reached::Nothing => {
                        "The kernel may have too little memory (--memory), be for another machine, or write to another console: it \
                         needs a built-in driver for the serial port, and the console= that boot puts on its command line."
                    }
                    Reached::Output => {
                        "Linux printed no messages, if it booted at all. --append loglevel=8 makes it print how far it gets."
                    }
                    Reached::Kernel => {
                        "The kernel did not start init. --append 'loglevel=8 initcall_debug' makes it print each step."
                    }
                    Reached::Init => {
                        "The kernel started init. Init may wait for something, or hang, or write to something other than its stdout, \
                         /dev/console."
                    }
                })
            }
            Verdict::QemuFailed { status, .. } | Verdict::QemuCrashed { status, .. }
                if status.contains("SIGSYS") =>
            {
                Some(
                    "QEMU's sandbox ended it because it started a program, perhaps for a network or a migration. \
                     `-- -sandbox off` boots without the sandbox.",
                )
            }
            Verdict::QemuStopped { .. } => Some(
                "QEMU or KVM could not run the guest any further; the guest may be correct. If it ran in KVM, try --accel tcg.",
            ),
            _ => None,
        }
    }
}

impl Failure {
    /// The problems that the kernel reported, in their order.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        std::iter::once(&self.cause).chain(&self.then)
    }

    fn sentence(&self) -> String {
        let cause = &self.cause.cause;
        let mut parts = vec![cause.to_string()];
        for finding in &self.then {
            let part = finding.cause.to_string();
            // The sentence of `cause` includes this one.
            let is_included = matches!(
                (cause, &finding.cause),
                (
                    Cause::InitramfsIgnored,
                    Cause::NoInit { .. } | Cause::NoRoot
                )
            );
            // The same sentence may come twice: out of memory, then a panic for that reason.
            if !parts.contains(&part) && !is_included {
                parts.push(part);
            }
        }
        parts.extend(self.end.as_ref().map(|end| end.sentence()));
        if let Some(meaning) = cause.meaning() {
            parts[0] += &format!(": {meaning}");
        }
        parts.join("; then ")
    }
}

impl Unfinished {
    fn sentence(&self, event: &str) -> String {
        let before = match (&self.expected, &self.seen) {
            (Some(text), _) => format!(" before {text:?} was seen"),
            (None, Some(text)) => format!(" after {text:?} was seen"),
            (None, None) => String::new(),
        };
        event.to_owned() + &before + &self.last_words()
    }

    fn last_words(&self) -> String {
        match &self.last_line {
            Some(line) => format!("; the last line was {line:?}"),
            None => "; the guest wrote nothing".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::machine::command::GuestExit;
    use crate::verdict::QemuWords;
    use crate::verdict::diagnosis;

    fn failed(messages: &[&str], end: Option<Verdict>) -> Verdict {
        let mut findings = messages
            .iter()
            .map(|message| diagnosis::finding(message).unwrap());
        Verdict::Failed(Failure {
            cause: findings.next().unwrap(),
            then: findings.collect(),
            end: end.map(Box::new),
            programs_said: vec![],
        })
    }

    #[test]
    fn sentences() {
        let text = || "Hello, world!".to_owned();
        let guest = |expected: Option<String>, last_line: Option<&str>| Unfinished {
            expected,
            last_line: last_line.map(Into::into),
            reached: Reached::Output,
            ..Unfinished::default()
        };
        let timeout = |seconds, expected, last_line| Verdict::Timeout {
            limit: Duration::from_secs_f64(seconds),
            guest: guest(expected, last_line),
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
                Verdict::PoweredOff(guest(None, None)),
                "the guest powered off; the guest wrote nothing",
            ),
            (
                Verdict::GuestExited {
                    exit: GuestExit {
                        status: 33,
                        written: Some(16),
                    },
                    guest: guest(Some(text()), Some("bad")),
                },
                r#"the guest ended QEMU with exit status 33 (16 written to isa-debug-exit) before "Hello, world!" was seen; the last line was "bad""#,
            ),
            (
                Verdict::QemuCrashed {
                    status: "signal 9".into(),
                    said: QemuWords::default(),
                    guest: guest(Some(text()), Some("it's")),
                },
                r#"QEMU ended with signal 9 before "Hello, world!" was seen; the last line was "it's""#,
            ),
            (
                timeout(1.5, Some(text()), None),
                r#""Hello, world!" was not seen in 1.5 s; the guest wrote nothing"#,
            ),
            (
                timeout(60.0, None, Some("#")),
                r##"the 60 s of --timeout have passed; the last line was "#""##,
            ),
            (
                Verdict::Stalled {
                    limit: Duration::from_secs(5),
                    guest: guest(Some(text()), Some("#")),
                },
                r##"the guest was silent for 5 s before "Hello, world!" was seen; the last line was "#""##,
            ),
            (
                failed(
                    &[
                        "Initramfs unpacking failed: read error",
                        "Kernel panic - not syncing: No working init found.  Try passing init= option to kernel.",
                    ],
                    None,
                ),
                "the kernel could not unpack the initramfs (read error): it is cut short; then the kernel found no init to run",
            ),
            (
                failed(
                    &[
                        "Out of memory and no killable processes...",
                        "Kernel panic - not syncing: System is deadlocked on memory",
                    ],
                    None,
                ),
                "the guest ran out of memory",
            ),
            (
                failed(
                    &["BUG: unable to handle page fault for address: 1"],
                    Some(timeout(2.0, None, None)),
                ),
                "the kernel ran into a bug of its own (an oops); then the 2 s of --timeout have passed; the guest wrote nothing",
            ),
        ] {
            assert_eq!(verdict.sentence(), sentence);
        }
    }

    #[test]
    fn quotes_and_advice_are_on_their_own_lines() {
        let verdict = failed(
            &[
                "Failed to execute /init (error -8)",
                "Kernel panic - not syncing: No working init found.  Try",
            ],
            None,
        );
        let words = verdict.to_string();
        let lines: Vec<_> = words.lines().collect();
        assert_eq!(
            lines[..3],
            [
                "the kernel cannot execute /init: it is for another architecture, or not a program (error -8, ENOEXEC); \
                 then the kernel found no init to run",
                "  kernel: Failed to execute /init (error -8)",
                "  kernel: Kernel panic - not syncing: No working init found.  Try",
            ]
        );
        assert!(
            lines[3].starts_with("  help: `file` says what it is."),
            "{}",
            lines[3]
        );
        assert_eq!(lines.len(), 4);
        let verdict = Verdict::QemuFailed {
            status: "exit status: 1".into(),
            said: QemuWords {
                lines: vec!["no".into()],
                shown: false,
            },
            shell_line: "q -m 1".into(),
        };
        assert_eq!(
            verdict.to_string(),
            "QEMU ended with exit status: 1 before the guest wrote anything:\n  qemu: no\n\
             To see more, run QEMU by hand:\n  q -m 1",
        );
    }

    #[test]
    fn the_fault_is_quoted_before_the_panic() {
        let mut verdict = failed(
            &["Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000004"],
            None,
        );
        let Verdict::Failed(failure) = &mut verdict else {
            unreachable!()
        };
        let Cause::InitKilled { fault, .. } = &mut failure.cause.cause else {
            panic!("{failure:?}")
        };
        *fault = Some("traps: init[1] trap invalid opcode ip:401000".into());
        assert_eq!(
            verdict.kernel_said(),
            [
                "traps: init[1] trap invalid opcode ip:401000",
                "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000004",
            ]
        );
    }
}
