//! A verdict in words: a sentence, the quoted messages, and advice.

use std::fmt;

use crate::verdict::diagnosis::{Cause, Finding, host, last_line};
use crate::verdict::findings::Reached;
use crate::verdict::program_messages;
use crate::verdict::{Failure, QemuWords, Unfinished, Verdict};

impl fmt::Display for Verdict {
    /// The sentence on the first line; quotes and advice on the next lines, indented.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())?;
        if let Verdict::Failed(failure) = self {
            for line in &failure.programs_said {
                write!(f, "\n  init: {line}")?;
            }
        }
        for (who, line) in self.quotes() {
            write!(f, "\n  {who}: {line}")?;
        }
        for line in self
            .runner_said()
            .filter(|said| !said.shown)
            .into_iter()
            .flat_map(|said| &said.lines)
        {
            let name = match self {
                Verdict::UmFailed { .. } | Verdict::UmCrashed { .. } => "linux",
                _ => "qemu",
            };
            write!(f, "\n  {name}: {line}")?;
        }
        match self {
            Verdict::QemuFailed { shell_line, .. } => {
                write!(f, "\nTo see more, run QEMU by hand:\n  {shell_line}")?;
            }
            Verdict::UmFailed { shell_line, .. } => {
                write!(f, "\nTo see more, run the kernel by hand:\n  {shell_line}")?;
            }
            _ => {}
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
                let after =
                    after.map(|after| format!(" {:.2} s after the start", after.as_secs_f64()));
                format!("saw {text:?}{}", after.unwrap_or_default())
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
            Verdict::LogEnded(guest) => match &guest.expected {
                Some(_) => guest.sentence("the log ends"),
                None => format!(
                    "no problem found, but the log ends {}{}",
                    guest.doing(),
                    guest.last_words()
                ),
            },
            Verdict::Garbage => "this is not text, so it cannot be understood".to_owned(),
            Verdict::GuestExited { exit, guest } => {
                let written = exit
                    .written
                    .map(|value| format!(" ({value} written to isa-debug-exit)"));
                guest.sentence(&format!(
                    "the guest ended with exit status {}{}",
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
            Verdict::QemuFailed { status, said, .. } => failed("QEMU", status, said),
            Verdict::UmFailed { status, said, .. } => failed("user-mode Linux", status, said),
            Verdict::UmCrashed { status, guest, .. } => {
                guest.sentence(&format!("the kernel's process ended with {status}"))
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

    /// The messages that led to the verdict, with their authors.
    pub fn quotes(&self) -> Vec<(&'static str, &str)> {
        let Verdict::Failed(failure) = self else {
            return vec![];
        };
        let fault = failure.findings().find_map(|finding| match &finding.cause {
            Cause::InitKilled { fault, .. } => fault.as_deref(),
            _ => None,
        });
        let said = failure
            .findings()
            .map(|finding| (finding.cause.said_by(), finding.said.as_str()));
        let mut said: Vec<_> = said.collect();
        // The message about the fault precedes the panic, which is the last.
        said.splice(
            said.len() - 1..said.len() - 1,
            fault.map(|fault| ("kernel", fault)),
        );
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
                Some(by_program.unwrap_or_else(|| failure.cause.cause.words().help))
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
            Verdict::LogEnded(guest) if guest.expected.is_none() => {
                let help = guest.last_line.as_deref().and_then(last_line::help);
                help.or(Some(match guest.reached {
                    Reached::Init => {
                        "If this is a good boot, use --expect TEXT, with a text that every good boot prints. If not, the log may be cut short, or the \
                         guest hangs: compare its last line with that of a good boot."
                    }
                    _ => {
                        "The log may be cut short, or the guest hangs, or its output goes elsewhere from here on (console=). loglevel=8 and \
                         initcall_debug on the kernel's command line show how far it gets."
                    }
                }))
            }
            Verdict::Garbage => Some(
                "On a serial line, both sides must use the same speed: console=ttyS0,115200 for the kernel, and the same number for the program that \
                 reads the line (boot explain -f: --baud 115200). If this is a file, it may be compressed, or may not be a log.",
            ),
            Verdict::LogEnded(guest) | Verdict::Timeout { guest, .. } | Verdict::Stalled { guest, .. } => {
                let help = guest.last_line.as_deref().and_then(last_line::help);
                Some(help.unwrap_or(match guest.reached {
                    Reached::Nothing => {
                        "The kernel may have too little memory (--memory), be for another machine, or write to another console: it \
                         needs a built-in driver for the serial port, and a console= on its command line, which boot adds."
                    }
                    Reached::Output => {
                        "Linux printed no messages, if it booted at all. loglevel=8 on its command line (--append loglevel=8) makes it print how far it gets."
                    }
                    Reached::Kernel => {
                        "The kernel did not start init. The parameters 'loglevel=8 initcall_debug' (--append) make it print each step."
                    }
                    Reached::Init => {
                        "The kernel started init. Init may wait for something, or hang, or write to something other than its stdout, \
                         /dev/console."
                    }
                }))
            }
            Verdict::QemuFailed { status, .. } | Verdict::QemuCrashed { status, .. }
                if status.contains("SIGSYS") =>
            {
                Some(
                    "QEMU's sandbox ended it because it started a program, perhaps for a network or a migration. \
                     `-- -sandbox off` boots without the sandbox.",
                )
            }
            Verdict::UmFailed { said, .. } if said.mention("ptrace: ") || said.mention("check_ptrace") || said.mention("check_sysemu") => Some(
                "This host does not allow ptrace(2), or not all of it; user-mode Linux needs it. A container's seccomp profile or \
                 kernel.yama.ptrace_scope=3 forbids it, and some sandboxes do not have it. Boot in QEMU: --target x86_64.",
            ),
            Verdict::UmCrashed { status, .. } if status.contains("SIGBUS") => Some(
                "The file system that has the guest's memory is full. --memory takes less, and TMPDIR=DIR names another place.",
            ),
            Verdict::QemuFailed { said, .. } | Verdict::QemuCrashed { said, .. } => {
                said.lines.iter().rev().find_map(|line| host::help(line))
            }
            Verdict::QemuStopped { .. } => Some(
                "QEMU or KVM could not run the guest any further; the guest may be correct. If it ran in KVM, try --accel tcg.",
            ),
            _ => None,
        }
    }
}

/// The sentence about a runner that failed before the guest wrote anything.
fn failed(name: &str, status: &str, said: &QemuWords) -> String {
    let why = if said.lines.is_empty() {
        " it did not say why"
    } else {
        ""
    };
    format!("{name} ended with {status} before the guest wrote anything:{why}")
}

impl Failure {
    /// The problems that the kernel reported, in their order.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        std::iter::once(&self.cause).chain(&self.then)
    }

    fn sentence(&self) -> String {
        let cause = &self.cause.cause;
        let words = cause.words();
        let mut parts = vec![words.sentence];
        let mut kinds = vec![words.kind];
        for finding in &self.then {
            let words = finding.cause.words();
            // The sentence of `cause` includes this one.
            let is_included = matches!(
                (cause, &finding.cause),
                (
                    Cause::InitramfsIgnored,
                    Cause::NoInit { .. } | Cause::NoRoot { .. }
                )
            );
            // The same may come twice: out of memory, then a panic for that reason.
            if !kinds.contains(&words.kind) && !is_included {
                parts.push(words.sentence);
                kinds.push(words.kind);
            }
        }
        parts.extend(self.end.as_ref().map(|end| match **end {
            Verdict::Ended => "the guest shut down".to_owned(),
            _ => end.sentence(),
        }));
        if let Some(meaning) = words.meaning {
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

    /// When in the boot the log ends.
    fn doing(&self) -> &'static str {
        match self.reached {
            Reached::Nothing | Reached::Output => "before Linux prints its version",
            Reached::Kernel => "before the kernel starts init",
            Reached::Init => "while init runs",
        }
    }

    fn last_words(&self) -> String {
        match &self.last_line {
            Some(line) => format!("; the last line was {line:?}"),
            None => "; the guest wrote nothing".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
