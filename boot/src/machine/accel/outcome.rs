//! The result of testing KVM: as a sentence with advice, and as a line of JSON between two processes.

use std::fmt;
use std::io;
use std::time::Duration;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::device::Device;

/// The version of KVM's interface since Linux 2.6.22; it will not change.
pub const VERSION: i32 = 12;

/// The result of testing KVM. Numbers of system errors are those of `errno(3)`.
///
/// Variants with `serde(skip)` come from the process that waits, not from the one that tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The test guest ran correctly.
    Works,
    /// The device cannot be opened.
    NotOpened(i32),
    /// The device is not KVM's.
    NotKvm(i32),
    /// KVM's interface has this version instead of [`VERSION`].
    OtherVersion(i32),
    /// KVM could not create a part of the virtual machine.
    NotMade(Part, i32),
    /// KVM could not run the guest.
    NotRun(i32),
    /// The guest crashed.
    Crashed(Crash),
    /// The guest stopped for this reason, in KVM's words, which it never should.
    UnexpectedExit(String),
    /// The guest wrote this wrong result.
    Wrong(u32),
    /// The guest halted before it wrote its result.
    NoResult,
    /// The guest was still running after this time.
    #[serde(skip)]
    Spins(Duration),
    /// KVM had not started the guest after this time.
    #[serde(skip)]
    Stuck(Duration),
    /// The process that tested KVM ended with this status and without a result.
    #[serde(skip)]
    Died(String),
    /// The process that tested KVM wrote this instead of a result.
    #[serde(skip)]
    UnexpectedOutput(String),
    /// The process to test KVM could not be started, for this reason.
    #[serde(skip)]
    NotStarted(String),
    /// The output of the process that tested KVM could not be read, for this reason.
    #[serde(skip)]
    ReadFailed(String),
    /// The guest's architecture, which is not the host's.
    #[serde(skip)]
    OtherCpu(String),
}

/// A part of a virtual machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The machine itself.
    Machine,
    /// Its memory.
    Memory,
    /// Its CPU, with its registers.
    Cpu,
}

/// How a guest crashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Crash {
    /// An exception that it does not handle.
    TripleFault,
    /// An operation that KVM does not support.
    InternalError,
    /// The CPU rejected the guest's initial state, for this reason.
    FailedEntry(u64),
}

impl Outcome {
    /// The advice, if the user can do something about the problem.
    pub fn advice(&self) -> Option<String> {
        let open = |errno| Outcome::NotOpened(Errno::raw_os_error(errno));
        let advice = if *self == open(Errno::NOENT) {
            "enable virtualization in the firmware and load kvm_intel or kvm_amd; in a container, pass the device in"
        } else if *self == open(Errno::ACCESS) {
            return Device::look().map(|device| device.advice());
        } else if *self == open(Errno::PERM) {
            "allow the device in the container or service manager, for example with docker run --device /dev/kvm"
        } else if *self == open(Errno::NODEV) || *self == open(Errno::NXIO) {
            "enable virtualization in the firmware and load kvm_intel or kvm_amd"
        } else if *self == Outcome::NotMade(Part::Machine, Errno::BUSY.raw_os_error()) {
            "end the other hypervisor that uses the CPU's virtualization, such as VirtualBox"
        } else {
            return None;
        };
        Some(advice.to_owned())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let system = |errno: &i32| io::Error::from_raw_os_error(*errno);
        match self {
            Outcome::Works => f.write_str("a test guest ran in it without errors"),
            Outcome::NotOpened(errno) => match Errno::from_raw_os_error(*errno) {
                Errno::NOENT => f.write_str("/dev/kvm does not exist"),
                Errno::ACCESS => f.write_str("this user may not open /dev/kvm"),
                Errno::PERM => f.write_str("nobody may open /dev/kvm here"),
                Errno::NODEV | Errno::NXIO => f.write_str("/dev/kvm has no driver"),
                _ => write!(f, "/dev/kvm cannot be opened: {}", system(errno)),
            },
            Outcome::NotKvm(errno) => {
                write!(f, "/dev/kvm does not answer as KVM: {}", system(errno))
            }
            Outcome::OtherVersion(version) => write!(
                f,
                "/dev/kvm has version {version} of KVM's interface instead of {VERSION}"
            ),
            Outcome::NotMade(part, errno) => {
                let part = match part {
                    Part::Machine => "a virtual machine",
                    Part::Memory => "a virtual machine's memory",
                    Part::Cpu => "a virtual CPU",
                };
                write!(f, "KVM cannot create {part}: {}", system(errno))
            }
            Outcome::NotRun(errno) => {
                write!(f, "KVM cannot run a test guest: {}", system(errno))
            }
            Outcome::Crashed(crash) => {
                f.write_str("a test guest crashed in KVM: ")?;
                match crash {
                    Crash::TripleFault => f.write_str("triple fault"),
                    Crash::InternalError => f.write_str("internal error of KVM"),
                    Crash::FailedEntry(reason) => {
                        write!(f, "the CPU refused to enter it, reason {reason:#x}")
                    }
                }
            }
            Outcome::UnexpectedExit(exit) => {
                write!(f, "a test guest in KVM stopped unexpectedly: {exit}")
            }
            Outcome::Wrong(result) => {
                write!(f, "a test guest in KVM got a wrong result, {result:#010x}")
            }
            Outcome::NoResult => {
                f.write_str("a test guest halted in KVM before it wrote its result")
            }
            Outcome::Spins(time) => write!(
                f,
                "a test guest hangs in KVM: it did not end within {} ms",
                time.as_millis()
            ),
            Outcome::Stuck(time) => {
                write!(
                    f,
                    "KVM did not start a test guest within {} ms",
                    time.as_millis()
                )
            }
            Outcome::Died(status) => {
                write!(f, "the process that tested KVM ended with {status}")
            }
            Outcome::UnexpectedOutput(line) => {
                write!(f, "the process that tested KVM wrote {line:?}")
            }
            Outcome::NotStarted(error) => {
                write!(f, "the process to test KVM cannot be started: {error}")
            }
            Outcome::ReadFailed(error) => {
                write!(
                    f,
                    "the output of the process that tested KVM cannot be read: {error}"
                )
            }
            Outcome::OtherCpu(guest) => {
                write!(f, "KVM on {} runs no {guest}", std::env::consts::ARCH)
            }
        }
    }
}

/// Each way to fail, with its sentence.
#[cfg(test)]
pub(super) fn failures() -> Vec<(Outcome, &'static str)> {
    vec![
        (Outcome::NotOpened(2), "/dev/kvm does not exist"),
        (Outcome::NotOpened(13), "this user may not open /dev/kvm"),
        (Outcome::NotOpened(1), "nobody may open /dev/kvm here"),
        (Outcome::NotOpened(19), "/dev/kvm has no driver"),
        (Outcome::NotOpened(6), "/dev/kvm has no driver"),
        (
            Outcome::NotOpened(21),
            "/dev/kvm cannot be opened: Is a directory (os error 21)",
        ),
        (
            Outcome::NotKvm(25),
            "/dev/kvm does not answer as KVM: Inappropriate ioctl for device (os error 25)",
        ),
        (
            Outcome::OtherVersion(11),
            "/dev/kvm has version 11 of KVM's interface instead of 12",
        ),
        (
            Outcome::NotMade(Part::Machine, 16),
            "KVM cannot create a virtual machine: Device or resource busy (os error 16)",
        ),
        (
            Outcome::NotMade(Part::Memory, 12),
            "KVM cannot create a virtual machine's memory: Cannot allocate memory (os error 12)",
        ),
        (
            Outcome::NotMade(Part::Cpu, 22),
            "KVM cannot create a virtual CPU: Invalid argument (os error 22)",
        ),
        (
            Outcome::NotRun(14),
            "KVM cannot run a test guest: Bad address (os error 14)",
        ),
        (
            Outcome::Crashed(Crash::TripleFault),
            "a test guest crashed in KVM: triple fault",
        ),
        (
            Outcome::Crashed(Crash::InternalError),
            "a test guest crashed in KVM: internal error of KVM",
        ),
        (
            Outcome::Crashed(Crash::FailedEntry(33)),
            "a test guest crashed in KVM: the CPU refused to enter it, reason 0x21",
        ),
        (
            Outcome::UnexpectedExit("MmioRead(36864, [0, 0])".to_owned()),
            "a test guest in KVM stopped unexpectedly: MmioRead(36864, [0, 0])",
        ),
        (
            Outcome::Wrong(1),
            "a test guest in KVM got a wrong result, 0x00000001",
        ),
        (
            Outcome::NoResult,
            "a test guest halted in KVM before it wrote its result",
        ),
        (
            Outcome::Spins(Duration::from_millis(100)),
            "a test guest hangs in KVM: it did not end within 100 ms",
        ),
        (
            Outcome::Stuck(Duration::from_millis(400)),
            "KVM did not start a test guest within 400 ms",
        ),
        (
            Outcome::Died("exit status: 1".to_owned()),
            "the process that tested KVM ended with exit status: 1",
        ),
        (
            Outcome::UnexpectedOutput("hello".to_owned()),
            r#"the process that tested KVM wrote "hello""#,
        ),
        (
            Outcome::NotStarted("no memory".to_owned()),
            "the process to test KVM cannot be started: no memory",
        ),
        (
            Outcome::ReadFailed("a bad pipe".to_owned()),
            "the output of the process that tested KVM cannot be read: a bad pipe",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences() {
        for (outcome, sentence) in failures() {
            assert_eq!(outcome.to_string(), sentence);
        }
    }

    #[test]
    fn advice_is_given_where_there_is_some() {
        // This advice needs /dev/kvm, which not every machine has.
        let denied = Outcome::NotOpened(Errno::ACCESS.raw_os_error());
        assert_eq!(denied.advice().is_some(), Device::look().is_some());
        let advised: Vec<_> = failures()
            .into_iter()
            .filter(|(outcome, _)| *outcome != denied && outcome.advice().is_some())
            .map(|(_, sentence)| sentence)
            .collect();
        assert_eq!(
            advised,
            [
                "/dev/kvm does not exist",
                "nobody may open /dev/kvm here",
                "/dev/kvm has no driver",
                "/dev/kvm has no driver",
                "KVM cannot create a virtual machine: Device or resource busy (os error 16)",
            ]
        );
    }

    /// Every outcome that has a JSON form is the same after reading it back.
    #[test]
    fn as_a_line() {
        let line = |outcome: &Outcome| serde_json::to_string(outcome);
        assert_eq!(line(&Outcome::Works).unwrap(), r#""works""#);
        assert_eq!(
            line(&Outcome::NotOpened(13)).unwrap(),
            r#"{"not-opened":13}"#
        );
        let mut sent = 0;
        for (outcome, _) in failures() {
            if let Ok(line) = line(&outcome) {
                assert_eq!(serde_json::from_str::<Outcome>(&line).unwrap(), outcome);
                sent += 1;
            }
        }
        assert_eq!(sent, 18);
    }
}
