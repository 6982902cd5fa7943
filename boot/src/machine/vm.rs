//! A guest that is ready to start.

use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use serde::Serialize;

use crate::machine::qemu::Qemu;
use crate::machine::qmp::State;
use crate::machine::target::Target;
use crate::machine::user_mode::{self, UserMode};

/// A kernel and an initramfs, and what runs them.
#[derive(Debug)]
pub struct Vm {
    /// Its target.
    pub target: &'static Target,
    /// Memory in MiB.
    pub memory: u32,
    /// A kernel of one of the target's formats.
    pub kernel: PathBuf,
    /// The initramfs.
    pub initrd: PathBuf,
    /// The end of the kernel's command line.
    pub append: String,
    /// What runs it.
    pub runner: Runner,
}

/// What runs a guest.
#[derive(Debug)]
pub enum Runner {
    /// QEMU.
    Qemu(Qemu),
    /// The kernel itself, as a process of the host.
    UserMode(UserMode),
}

/// An exit status that the guest chose for its runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GuestExit {
    /// The exit status.
    pub status: i32,
    /// The lower seven bits of the guest's write to isa-debug-exit, if that device ended QEMU.
    pub written: Option<i32>,
}

/// How the process of a guest ended.
#[derive(Debug, Default)]
pub struct End {
    /// Its exit status, unless that is the status after a guest's power-off.
    pub failure: Option<String>,
    /// The same status, if the guest chose it.
    pub guest_exit: Option<GuestExit>,
    /// Why the machine was shut down, one of QMP's `ShutdownCause`, if that is known.
    pub shutdown: Option<String>,
    /// Whether a debugger ended it.
    pub debugged: bool,
}

impl Vm {
    /// The name of its runner in sentences.
    pub fn runner_name(&self) -> &'static str {
        match &self.runner {
            Runner::Qemu(_) => "QEMU",
            Runner::UserMode(_) => "Linux",
        }
    }

    /// The name of its machine.
    pub fn machine_name(&self) -> &'static str {
        match &self.runner {
            Runner::Qemu(qemu) => qemu.machine.name,
            Runner::UserMode(_) => "the host",
        }
    }

    /// The number of bytes that may wait in the channel's device until the guest reads them.
    pub fn channel_window(&self) -> usize {
        match &self.runner {
            Runner::Qemu(_) => usize::MAX,
            Runner::UserMode(_) => user_mode::CHANNEL_WINDOW,
        }
    }

    /// The directory of the host for a file with the program's input, if the guest can open it and the device is slow.
    pub fn input_directory(&self) -> Option<&'static Path> {
        match &self.runner {
            Runner::Qemu(_) => None,
            Runner::UserMode(_) => Some(Path::new(user_mode::SHARED_MEMORY)),
        }
    }

    /// The program to start.
    pub fn program(&self) -> &Path {
        match &self.runner {
            Runner::Qemu(qemu) => &qemu.program,
            Runner::UserMode(_) => &self.kernel,
        }
    }

    /// Its arguments.
    pub fn arguments(&self) -> Vec<OsString> {
        match &self.runner {
            Runner::Qemu(qemu) => qemu.arguments(self),
            Runner::UserMode(host) => host.arguments(self),
        }
    }

    /// The kernel's command line. QEMU and user-mode Linux may add to it.
    pub fn command_line(&self) -> String {
        let more = match &self.runner {
            Runner::Qemu(qemu) => qemu.kernel_options(),
            Runner::UserMode(_) => vec![],
        };
        self.target.command_line(&more, &self.append)
    }

    /// How its process ended with `status`. `said` has QEMU's reports, `stderr` the lines of its stderr, and
    /// `has_output` tells whether the guest wrote anything.
    pub fn end(
        &self,
        status: Option<ExitStatus>,
        said: &State,
        stderr: &[String],
        has_output: bool,
    ) -> End {
        match &self.runner {
            Runner::Qemu(qemu) => qemu.end(status, said, stderr),
            Runner::UserMode(_) => user_mode::end(status, stderr, has_output),
        }
    }

    /// A warning about options that do not work together.
    pub fn caution(&self) -> Option<&'static str> {
        match &self.runner {
            Runner::Qemu(qemu) => qemu.caution(self),
            Runner::UserMode(_) => None,
        }
    }

    /// The whole command line, for a shell.
    pub fn shell_line(&self) -> String {
        let mut words = match &self.runner {
            Runner::Qemu(_) => vec![],
            Runner::UserMode(host) => host.shell_words(),
        };
        words.push(self.program().into());
        words.extend(self.arguments());
        shell_words(&words)
    }
}

/// The path of the program `name`, found in `PATH`, so that its command line also works with another
/// `PATH`. If there is none, `name` itself: then starting it fails with a clear error.
pub fn program(name: PathBuf) -> PathBuf {
    if name.as_os_str().as_bytes().contains(&b'/') {
        return name;
    }
    let executable = |path: &PathBuf| {
        let metadata = path.metadata();
        metadata.is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .map(|directory| directory.join(&name))
        .find(executable);
    found.unwrap_or(name)
}

/// A command line for a shell.
pub fn shell_words(words: &[OsString]) -> String {
    let words = words.iter().map(|word| quoted(&word.to_string_lossy()));
    words.collect::<Vec<_>>().join(" ")
}

/// `word`, quoted for a POSIX shell if necessary.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_in_path() {
        let sh = program("sh".into());
        assert!(sh.is_absolute() && sh.ends_with("sh"), "{}", sh.display());
        for unchanged in ["no-such-program", "./sh"] {
            assert_eq!(program(unchanged.into()), PathBuf::from(unchanged));
        }
    }

    #[test]
    fn a_word_is_quoted_for_a_shell() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
