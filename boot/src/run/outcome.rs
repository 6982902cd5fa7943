//! What the end of a run means: its kind, an exit code and a sentence.

use std::ffi::OsStr;
use std::io;

use boot::machine::target::Bus;
use boot::program::steps::Steps;
use boot::session::program::{End, Ended};
use boot::verdict::Verdict;
use boot::verdict::exit_code::{self, ExitCode};
use serde::Serialize;

/// The end of a run.
pub struct Outcome {
    pub kind: Kind,
    /// One of [`exit_code`], or the program's.
    pub exit_code: ExitCode,
    /// For the user, unless the program ended by itself.
    pub sentence: Option<String>,
    /// Whether the console's output is to the point.
    pub shows_console: bool,
}

/// How it ended.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// The program exited.
    Exited { status: i32 },
    /// A signal ended the program.
    Killed { signal: i32 },
    /// The program, as PID 1, powered the guest off, restarted or halted it.
    SwitchedOff,
    /// The program could not be started.
    NotStarted,
    /// The guest failed, or boot ended it. It has the kind of boot's verdict.
    Guest { verdict: &'static str },
}

impl Outcome {
    /// The outcome of a run of `program` with these `steps`. QEMU's devices are on the bus `bus`.
    pub fn of(ended: &Ended, program: &OsStr, steps: &Steps, bus: Option<Bus>) -> Outcome {
        match &ended.end {
            End::Program(status) => of_program(*status),
            End::SwitchedOff => Outcome {
                kind: Kind::SwitchedOff,
                exit_code: exit_code::SUCCESS,
                sentence: None,
                shows_console: false,
            },
            End::Step(place, errno) => {
                let (sentence, is_program) = steps.failure(*place, *errno);
                match (is_program, io::Error::from_raw_os_error(*errno).kind()) {
                    (false, _) => not_started(exit_code::CANNOT_TEST, sentence),
                    (true, io::ErrorKind::NotFound) => {
                        not_started(exit_code::NOT_FOUND, not_found(program))
                    }
                    (true, _) => not_started(exit_code::NOT_EXECUTABLE, sentence),
                }
            }
            End::Foreign => not_started(
                exit_code::CANNOT_TEST,
                "the guest's agent uses another protocol than this boot; use guests of the same version as boot (--guests)"
                    .into(),
            ),
            End::Guest(verdict) if !ended.ready && matches!(**verdict, Verdict::Ended) => Outcome {
                shows_console: true,
                ..not_started(exit_code::CANNOT_TEST, no_channel(bus))
            },
            End::Guest(verdict) => {
                // Without a fault of the guest, its kernel's log is not to the point.
                let other = ended_by_user_or_program(verdict).filter(|_| ended.ready);
                Outcome {
                    kind: Kind::Guest { verdict: verdict.kind() },
                    exit_code: verdict.exit_code(),
                    shows_console: other.is_none(),
                    sentence: Some(other.unwrap_or_else(|| verdict.to_string())),
                }
            }
        }
    }
}

fn not_started(exit_code: ExitCode, sentence: String) -> Outcome {
    Outcome {
        kind: Kind::NotStarted,
        exit_code,
        sentence: Some(sentence),
        shows_console: false,
    }
}

/// The outcome for a program's wait(2) status. The exit code is that of a shell.
fn of_program(status: i32) -> Outcome {
    let (kind, exit_code) = match status & 0x7f {
        0 => {
            let status = status >> 8;
            (Kind::Exited { status }, status as ExitCode)
        }
        signal => (Kind::Killed { signal }, exit_code::of_signal(signal)),
    };
    Outcome {
        kind,
        exit_code,
        sentence: None,
        shows_console: false,
    }
}

/// A sentence about an end that is not the guest's fault.
fn ended_by_user_or_program(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Timeout { limit, .. } => Some(format!(
            "the program did not end within the {} s of --timeout",
            limit.as_secs_f64()
        )),
        Verdict::Stalled { limit, .. } => Some(format!(
            "the program wrote nothing for the {} s of --stall",
            limit.as_secs_f64()
        )),
        Verdict::Ended => Some("the guest was switched off before the program ended".into()),
        Verdict::StdoutClosed => Some("nobody reads the program's output any more".into()),
        Verdict::Signal { .. } => Some("the user ended the guest".into()),
        _ => None,
    }
}

/// Why the agent ended at once: it could not open the channel.
fn no_channel(bus: Option<Bus>) -> String {
    let options = bus.map(Bus::options);
    let options = options.map_or("a terminal, tty1".into(), |bus| {
        format!("CONFIG_VIRTIO_CONSOLE and {bus}")
    });
    format!(
        "the kernel cannot speak with boot: it needs {options} built in, or as modules (name their directory with \
         --modules, or another kernel with --kernel)"
    )
}

/// A program that does not exist, or a script whose interpreter does not.
fn not_found(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    let place = if name.contains('/') {
        "in the guest"
    } else {
        "in the directories of PATH"
    };
    format!("{name}: there is no such program {place}, or its interpreter is missing")
}
