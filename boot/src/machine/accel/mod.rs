//! Who executes the guest's instructions: found out, not assumed.
//!
//! A `/dev/kvm` that opens may still be useless. The one of `kvm_pvm`, which some clouds have, makes
//! virtual machines, runs a BIOS and 64-bit code, and then spins for ever, or gives up, at a guest's
//! first x87 or SSE instructions; QEMU waits. Only running a guest tells. A tiny one does, in a
//! process that can be killed: `KVM_RUN` may never return, and a thread cannot be ended.
//!
//! That process is the caller's own program again ([`trial_process`], [`answer`]): nothing else has
//! to be installed or found, and after a mere `fork` in a program with threads next to nothing is
//! allowed. What comes of it is good for one boot; nothing is kept.
//!
//! | module | subject |
//! | --- | --- |
//! | `device` | who may open `/dev/kvm` |
//! | [`outcome`] | what can come of it, in words |
//! | [`probe`] | the process, from outside |
//! | `trial` | the process, from inside |
//! | [`guest`] | the guest that it runs |

use std::env;
use std::ffi::{CString, OsString};
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::machine::command::Accel;
use crate::machine::target::Target;
use outcome::Outcome;

mod device;
#[cfg(target_arch = "x86_64")]
pub mod guest;
pub mod outcome;
pub mod probe;
#[cfg(target_arch = "x86_64")]
mod trial;

/// What the user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// KVM if it works, else TCG
    Auto,
    /// QEMU: slower, and the same on every host
    Tcg,
    /// The host's CPU, through /dev/kvm
    Kvm,
}

/// What the guest gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceleration {
    /// Who executes its instructions.
    pub accel: Accel,
    /// Why: goes on after "because".
    pub why: String,
}

impl fmt::Display for Acceleration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, because {}", self.accel.name(), self.why)
    }
}

/// What a guest of `target` gets for `choice`. `try_kvm`, [`probe::probe`] as a rule, is called
/// only if it matters.
///
/// # Errors
///
/// If it is to be KVM, and that does not work.
pub fn choose(
    choice: Choice,
    target: &Target,
    try_kvm: impl FnOnce() -> Outcome,
) -> Result<Acceleration> {
    if choice == Choice::Tcg {
        return Ok(Acceleration {
            accel: Accel::Tcg,
            why: "it was asked for".to_owned(),
        });
    }
    let outcome = if target.name == env::consts::ARCH {
        try_kvm()
    } else {
        Outcome::OtherCpu(target.name.to_owned())
    };
    let accel = match outcome {
        Outcome::Works => Accel::Kvm,
        _ if choice == Choice::Auto => Accel::Tcg,
        _ => {
            let advice = outcome.advice().map(|advice| format!("{advice}; or "));
            let advice = advice.unwrap_or_default();
            bail!("cannot use KVM: {outcome} ({advice}use --accel tcg)");
        }
    };
    Ok(Acceleration {
        accel,
        why: outcome.to_string(),
    })
}

/// The first argument of a process that is to try KVM out. The device follows, and in tests a file
/// with other code for the guest.
const TRY_KVM: &str = "--try-kvm";

/// This program again, to try KVM out. It has to call [`answer`] first of all.
pub fn trial_process() -> Command {
    // Not `current_exe`, which is a path: the program may have been replaced since it was started.
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0(env!("CARGO_PKG_NAME"))
        .args([TRY_KVM, "/dev/kvm"]);
    command
}

/// What `main` has to do before anything else, with the program's arguments: if that is what it was
/// started for, it tries KVM out, and gives the exit code.
pub fn answer(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let asked = arguments.nth(1).is_some_and(|first| first == TRY_KVM);
    let device = arguments.next().filter(|_| asked)?;
    let told = try_kvm(device, arguments.next());
    Some(ExitCode::from(u8::from(told.is_err())))
}

#[cfg(target_arch = "x86_64")]
fn try_kvm(device: OsString, code: Option<OsString>) -> Result<()> {
    let device = CString::new(device.into_vec())?;
    let memory = match code {
        None => guest::memory(&guest::CODE),
        Some(file) => guest::memory(&fs::read(file)?),
    };
    Ok(trial::tell(&device, memory)?)
}

#[cfg(not(target_arch = "x86_64"))]
fn try_kvm(_: OsString, _: Option<OsString>) -> Result<()> {
    bail!("there is no guest for this CPU")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::target::TARGETS;

    fn x86_64() -> &'static Target {
        Target::named("x86_64").unwrap()
    }

    fn untried() -> Outcome {
        panic!("nobody needs to know")
    }

    #[test]
    fn a_choice_is_kept_or_refused() {
        let asked = choose(Choice::Tcg, x86_64(), untried).unwrap();
        assert_eq!(asked.to_string(), "tcg, because it was asked for");
        let works = choose(Choice::Kvm, x86_64(), || Outcome::Works).unwrap();
        assert_eq!(works.accel, Accel::Kvm);
        let refusal = choose(Choice::Kvm, x86_64(), || Outcome::Wordless).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "cannot use KVM: a test guest halted in KVM before it had written its result (use --accel tcg)"
        );
    }

    #[test]
    fn auto_is_kvm_only_if_that_works() {
        let auto = |outcome| choose(Choice::Auto, x86_64(), || outcome).unwrap();
        assert_eq!(
            auto(Outcome::Works).to_string(),
            "kvm, because a test guest ran in it as it should"
        );
        for (outcome, sentence) in outcome::failures() {
            assert_eq!(
                auto(outcome),
                Acceleration {
                    accel: Accel::Tcg,
                    why: sentence.to_owned()
                }
            );
        }
    }

    #[test]
    fn a_guest_of_another_cpu_needs_no_trial() {
        let foreign = Target {
            name: "vax",
            ..TARGETS[0]
        };
        let host = env::consts::ARCH;
        assert_eq!(
            choose(Choice::Auto, &foreign, untried).unwrap().to_string(),
            format!("tcg, because KVM on {host} runs no vax")
        );
        let refusal = choose(Choice::Kvm, &foreign, untried).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            format!("cannot use KVM: KVM on {host} runs no vax (use --accel tcg)")
        );
    }

    #[test]
    fn only_who_is_asked_answers() {
        let answer = |words: &[&str]| answer(words.iter().map(OsString::from));
        assert_eq!(answer(&["boot"]), None);
        assert_eq!(answer(&["boot", "--append", TRY_KVM, "/dev/kvm"]), None);
        assert_eq!(answer(&["boot", TRY_KVM]), None);
    }
}
