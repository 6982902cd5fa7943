//! Chooses the accelerator, KVM or TCG, after a test of KVM.
//!
//! A `/dev/kvm` that opens may still be useless. With `kvm_pvm`, which some clouds use, a virtual machine
//! runs a BIOS and 64-bit code, but hangs or fails at its first x87 or SSE instructions, and QEMU waits
//! forever. So boot runs a tiny test guest first. `KVM_RUN` may never return, and a thread cannot be
//! killed, so the guest runs in a process of its own.
//!
//! That process executes the same program again ([`trial_process`], [`answer`]): no other file has to be
//! installed, and a mere `fork` is not enough, because the child of a program with threads may do almost
//! nothing. The result is used for one boot and not stored.
//!
//! | module | subject |
//! | --- | --- |
//! | `device` | advice for a user who may not open `/dev/kvm` |
//! | [`outcome`] | the possible results, in words |
//! | [`probe`] | starts the process, reads its result and ends it |
//! | `trial` | the code that the process runs |
//! | [`guest`] | the test guest |

use std::env;
use std::ffi::{CString, OsString};
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::machine::qemu::Accel;
use outcome::Outcome;

mod device;
#[cfg(target_arch = "x86_64")]
pub mod guest;
pub mod outcome;
pub mod probe;
#[cfg(target_arch = "x86_64")]
mod trial;

/// The user's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// KVM if it works, else TCG
    Auto,
    /// QEMU translates the instructions: slower, but the same on every host
    Tcg,
    /// The host's CPU executes the instructions, through /dev/kvm
    Kvm,
}

/// The accelerator of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceleration {
    /// The accelerator.
    pub accel: Accel,
    /// The reason, to follow "because".
    pub why: String,
}

impl fmt::Display for Acceleration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, because {}", self.accel.name(), self.why)
    }
}

/// The accelerator for a guest of this architecture. Calls `try_kvm`, usually [`probe::probe`], only if the
/// result matters.
///
/// # Errors
///
/// If `choice` is KVM, and KVM does not work.
pub fn choose(
    choice: Choice,
    architecture: &str,
    try_kvm: impl FnOnce() -> Outcome,
) -> Result<Acceleration> {
    if choice == Choice::Tcg {
        return Ok(Acceleration {
            accel: Accel::Tcg,
            why: "it was asked for".to_owned(),
        });
    }
    let outcome = if architecture == env::consts::ARCH {
        try_kvm()
    } else {
        Outcome::OtherCpu(architecture.to_owned())
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

/// The first argument of the process that tests KVM. The device follows, and in tests a file with other
/// code for the guest.
const TRY_KVM: &str = "--try-kvm";

/// A command that runs this program again to test KVM. The program's `main` must call [`answer`] first.
pub fn trial_process() -> Command {
    // Not the path from `current_exe`: another file may have that path by now.
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0(env!("CARGO_PKG_NAME"))
        .args([TRY_KVM, "/dev/kvm"]);
    command
}

/// Tests KVM and returns the exit code, if the program's arguments ask for that. `main` must call this
/// before anything else.
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

    fn untried() -> Outcome {
        panic!("KVM was tested without need")
    }

    #[test]
    fn a_choice_is_followed_or_refused() {
        let asked = choose(Choice::Tcg, env::consts::ARCH, untried).unwrap();
        assert_eq!(asked.to_string(), "tcg, because it was asked for");
        let works = choose(Choice::Kvm, env::consts::ARCH, || Outcome::Works).unwrap();
        assert_eq!(works.accel, Accel::Kvm);
        let refusal = choose(Choice::Kvm, env::consts::ARCH, || Outcome::NoResult).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "cannot use KVM: a test guest halted in KVM before it wrote its result (use --accel tcg)"
        );
    }

    #[test]
    fn auto_is_kvm_only_if_that_works() {
        let auto = |outcome| choose(Choice::Auto, env::consts::ARCH, || outcome).unwrap();
        assert_eq!(
            auto(Outcome::Works).to_string(),
            "kvm, because a test guest ran in it without errors"
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
    fn a_guest_of_another_cpu_needs_no_test() {
        let host = env::consts::ARCH;
        assert_eq!(
            choose(Choice::Auto, "vax", untried).unwrap().to_string(),
            format!("tcg, because KVM on {host} runs no vax")
        );
        let refusal = choose(Choice::Kvm, "vax", untried).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            format!("cannot use KVM: KVM on {host} runs no vax (use --accel tcg)")
        );
    }

    #[test]
    fn only_the_exact_arguments_start_the_test() {
        let answer = |words: &[&str]| answer(words.iter().map(OsString::from));
        assert_eq!(answer(&["boot"]), None);
        assert_eq!(answer(&["boot", "--append", TRY_KVM, "/dev/kvm"]), None);
        assert_eq!(answer(&["boot", TRY_KVM]), None);
    }
}
