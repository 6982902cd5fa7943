//! What came of trying KVM out: as a sentence, with what to do about it, and as a line from one
//! process to another.

use std::fmt;
use std::io;
use std::time::Duration;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::device::Device;

/// KVM's interface has had this version since Linux 2.6.22, and will keep it.
pub const VERSION: i32 = 12;

/// What came of trying KVM out. System errors are their numbers.
///
/// What has no form in serde is not for the trying process to say, but for the one that waits for
/// it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A guest ran as it should.
    Works,
    /// The device cannot be opened.
    NotOpened(i32),
    /// The device opens, and is something else.
    NotKvm(i32),
    /// The interface is not the one that everybody uses.
    OtherVersion(i32),
    /// KVM refused to make a part of the virtual machine.
    NotMade(Part, i32),
    /// KVM refused to run the guest.
    NotRun(i32),
    /// The guest crashed.
    Crashed(Crash),
    /// The guest stopped where nothing is to stop it. In KVM's words.
    Strayed(String),
    /// The guest computed that.
    Wrong(u32),
    /// The guest halted before it had written its result.
    Wordless,
    /// The guest was still running after that time.
    #[serde(skip)]
    Spins(Duration),
    /// There was no guest yet after that time.
    #[serde(skip)]
    Stuck(Duration),
    /// The process that tried it ended in that way, without a result.
    #[serde(skip)]
    Died(String),
    /// The process that tried it said that instead of a result.
    #[serde(skip)]
    Babbled(String),
    /// There is no process to try it, for that reason.
    #[serde(skip)]
    NotStarted(String),
    /// The process that tried it cannot be listened to, for that reason.
    #[serde(skip)]
    Unheard(String),
    /// The guest's CPU is of that architecture, and the host's is not.
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

/// How a guest crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Crash {
    /// By an exception while it handles none.
    TripleFault,
    /// At something that KVM cannot do.
    InternalError,
    /// At its first instruction: the CPU does not accept its state, for that reason.
    FailedEntry(u64),
}

impl Outcome {
    /// What to do about it, where somebody other than the authors of KVM can do something.
    pub fn advice(&self) -> Option<String> {
        let open = |errno| Outcome::NotOpened(Errno::raw_os_error(errno));
        let advice = if *self == open(Errno::NOENT) {
            "load kvm_intel or kvm_amd, which takes a CPU with virtualization switched on in the firmware; \
             in a container, pass the device in"
        } else if *self == open(Errno::ACCESS) {
            return Device::look().map(|device| device.advice());
        } else if *self == open(Errno::PERM) {
            "have the container or service manager allow the device, as docker run --device /dev/kvm does"
        } else if *self == open(Errno::NODEV) || *self == open(Errno::NXIO) {
            "load kvm_intel or kvm_amd, which takes a CPU with virtualization switched on in the firmware"
        } else if *self == Outcome::NotMade(Part::Machine, Errno::BUSY.raw_os_error()) {
            "end the other hypervisor that has the CPU's virtualization, such as VirtualBox"
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
            Outcome::Works => f.write_str("a test guest ran in it as it should"),
            Outcome::NotOpened(errno) => match Errno::from_raw_os_error(*errno) {
                Errno::NOENT => f.write_str("/dev/kvm does not exist"),
                Errno::ACCESS => f.write_str("this user may not open /dev/kvm"),
                Errno::PERM => f.write_str("nobody may open /dev/kvm here"),
                Errno::NODEV | Errno::NXIO => f.write_str("/dev/kvm has no driver behind it"),
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
                write!(f, "KVM cannot make {part}: {}", system(errno))
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
            Outcome::Strayed(exit) => write!(f, "a test guest went astray in KVM: {exit}"),
            Outcome::Wrong(result) => {
                write!(f, "a test guest in KVM got a wrong result, {result:#010x}")
            }
            Outcome::Wordless => {
                f.write_str("a test guest halted in KVM before it had written its result")
            }
            Outcome::Spins(time) => write!(
                f,
                "a test guest hangs in KVM: no end in {} ms",
                time.as_millis()
            ),
            Outcome::Stuck(time) => {
                write!(f, "KVM got no test guest to run in {} ms", time.as_millis())
            }
            Outcome::Died(status) => {
                write!(f, "the process that tried KVM out ended with {status}")
            }
            Outcome::Babbled(line) => {
                write!(f, "the process that tried KVM out said {line:?}")
            }
            Outcome::NotStarted(error) => {
                write!(f, "the process to try KVM out cannot be started: {error}")
            }
            Outcome::Unheard(error) => {
                write!(f, "the process that tried KVM out cannot be heard: {error}")
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
        (Outcome::NotOpened(19), "/dev/kvm has no driver behind it"),
        (Outcome::NotOpened(6), "/dev/kvm has no driver behind it"),
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
            "KVM cannot make a virtual machine: Device or resource busy (os error 16)",
        ),
        (
            Outcome::NotMade(Part::Memory, 12),
            "KVM cannot make a virtual machine's memory: Cannot allocate memory (os error 12)",
        ),
        (
            Outcome::NotMade(Part::Cpu, 22),
            "KVM cannot make a virtual CPU: Invalid argument (os error 22)",
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
            Outcome::Strayed("MmioRead(36864, [0, 0])".to_owned()),
            "a test guest went astray in KVM: MmioRead(36864, [0, 0])",
        ),
        (
            Outcome::Wrong(1),
            "a test guest in KVM got a wrong result, 0x00000001",
        ),
        (
            Outcome::Wordless,
            "a test guest halted in KVM before it had written its result",
        ),
        (
            Outcome::Spins(Duration::from_millis(100)),
            "a test guest hangs in KVM: no end in 100 ms",
        ),
        (
            Outcome::Stuck(Duration::from_millis(400)),
            "KVM got no test guest to run in 400 ms",
        ),
        (
            Outcome::Died("exit status: 1".to_owned()),
            "the process that tried KVM out ended with exit status: 1",
        ),
        (
            Outcome::Babbled("hello".to_owned()),
            r#"the process that tried KVM out said "hello""#,
        ),
        (
            Outcome::NotStarted("no memory".to_owned()),
            "the process to try KVM out cannot be started: no memory",
        ),
        (
            Outcome::Unheard("a bad pipe".to_owned()),
            "the process that tried KVM out cannot be heard: a bad pipe",
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
        // On a file that not every machine has.
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
                "/dev/kvm has no driver behind it",
                "/dev/kvm has no driver behind it",
                "KVM cannot make a virtual machine: Device or resource busy (os error 16)",
            ]
        );
    }

    /// An outcome survives the way from one process to the other, or does not set out on it.
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
