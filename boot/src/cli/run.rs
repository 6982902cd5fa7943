//! The arguments of `boot run`.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use boot::machine::target::Target;
use boot::program::guest::Share;
use boot::program::modules;
use boot::verdict::exit_code::Usage;
use clap::Parser;

use crate::cli::attached::NetworkArgs;
use crate::cli::qemu::QemuArgs;
use crate::cli::values;

/// Run a program in a Linux kernel of its own, and exit with its status.
///
/// The program sees the files of this machine. Its changes stay in the guest's memory, except in directories that
/// --share makes writable. With --pack, the program sees only files that are packed or shared. It gets the stdin,
/// stdout, stderr, current directory and environment of boot. On a terminal, all keys go to the program; type
/// Ctrl-] three times to end the guest.
#[derive(Parser)]
#[command(name = "boot run", version, after_help = HELP)]
pub struct RunCli {
    /// Where to run the program: in user-mode Linux (um), or in QEMU with a guest of this architecture; another one
    /// than this machine's needs --pack [default: in
    /// QEMU if KVM works; else in um, if ptrace(2) is fast enough on this machine; else in QEMU]
    #[arg(long, env = "BOOT_TARGET", value_name = "NAME", value_parser = values::target())]
    pub target: Option<&'static Target>,

    /// Kernel of the guest [default: TARGET/kernel in the directory of --guests]
    #[arg(long, value_name = "FILE")]
    pub kernel: Option<PathBuf>,

    /// Directory with the modules of --kernel: /lib/modules/VERSION, or a root directory that has one [default: beside
    /// the kernel, in its package, or on this machine]
    #[arg(long, value_name = "DIR", requires = "kernel")]
    pub modules: Option<PathBuf>,

    /// Directory with a guest for each target: the kernel TARGET/kernel, and TARGET/initramfs, which has the agent
    #[arg(long, env = "BOOT_GUESTS", value_name = "DIR")]
    pub guests: Option<PathBuf>,

    /// QEMU, its accelerator and its machine
    #[command(flatten)]
    pub qemu: QemuArgs,

    /// Memory of the guest
    #[arg(long, value_name = "MIB", default_value = "512", value_parser = clap::value_parser!(u32).range(1..))]
    pub memory: u32,

    /// Number of the guest's processors, for QEMU
    #[arg(long, value_name = "NUMBER", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    pub smp: u32,

    /// Text to append to the kernel's command line
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    pub append: String,

    /// Show the directory DIR of this machine at the path AT in the guest, or without AT at its own path; rw makes it writable
    #[arg(long, value_name = "DIR[:AT][:rw]")]
    pub share: Vec<OsString>,

    /// Pack the program, with its libraries or interpreter, into the guest's memory, and show it no other files of this machine
    #[arg(long)]
    pub pack: bool,

    /// Also pack this file, at its own path; if it is a program, also pack its libraries
    #[arg(long, value_name = "FILE", requires = "pack")]
    pub file: Vec<PathBuf>,

    /// The network of the guest
    #[command(flatten)]
    pub network: NetworkArgs,

    /// Make the program PID 1 of the guest. It ends the run with success when it powers the guest off. Its stdin is empty
    /// unless it is a terminal
    #[arg(long, conflicts_with = "user")]
    pub init: bool,

    /// Set a variable for the program; with NAME alone, remove the variable
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub env: Vec<OsString>,

    /// Current directory of the program [default: that of boot, or / with --pack]
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<PathBuf>,

    /// User and group of the program, as numbers [default: root]
    #[arg(long, value_name = "UID[:GID]", value_parser = values::user)]
    pub user: Option<(u32, u32)>,

    /// End the guest after this time
    #[arg(long, value_name = "SECONDS", value_parser = values::positive_seconds, allow_negative_numbers = true)]
    pub timeout: Option<Duration>,

    /// End the guest if neither its kernel nor the program writes anything for this time
    #[arg(long, value_name = "SECONDS", value_parser = values::positive_seconds, allow_negative_numbers = true)]
    pub stall: Option<Duration>,

    /// Show the guest's console, to which the kernel writes its log, on stderr
    #[arg(long)]
    pub console: bool,

    /// File to write the console's output to
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// Print on stderr where the program ran, why it ran there, and how long that took
    #[arg(long)]
    pub summary: bool,

    /// File to write all facts about the run to, as JSON (docs/report.md)
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// If the guest fails, exit with the codes of `boot`, which `git bisect run` understands: 1, 124, 125
    #[arg(long)]
    pub bisect: bool,

    /// Program, and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "PROGRAM")]
    pub command: Vec<OsString>,
}

const HELP: &str = "\
Exit codes: that of the program, or 128+n if signal n ended the program or the guest. And:
  126  the program cannot be executed
  127  there is no such program
  250  the guest failed: its kernel panicked, for example
  251  --timeout or --stall expired
  252  the run could not be tried: the command line is invalid, or something is missing";

impl RunCli {
    /// The kernel and the initramfs for `target`.
    pub fn guest(&self, target: &Target) -> Result<(PathBuf, PathBuf)> {
        let guests = self.guests.as_deref().ok_or_else(|| {
            Usage("the directory with the guests is missing: name it with --guests DIR or BOOT_GUESTS=DIR, or use `nix run .#run`".into())
        })?;
        let directory = guests.join(target.name);
        let kernel = self
            .kernel
            .clone()
            .unwrap_or_else(|| directory.join("kernel"));
        Ok((kernel, directory.join("initramfs")))
    }

    /// The directory with the modules of the kernel, if it has any.
    pub fn modules(&self) -> Option<PathBuf> {
        let of_kernel = || self.kernel.as_deref().and_then(modules::directory);
        self.modules.clone().or_else(of_kernel)
    }

    /// Whether there are a kernel and an initramfs for `target`.
    pub fn has(&self, target: &Target) -> bool {
        let guest = self.guest(target);
        guest.is_ok_and(|(kernel, initramfs)| kernel.exists() && initramfs.exists())
    }

    /// The directories to share.
    pub fn shares(&self) -> Result<Vec<Share>> {
        self.share.iter().map(|share| parse_share(share)).collect()
    }

    /// The program's environment.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let own = |name: &OsStr| name.to_string_lossy().starts_with("BOOT_");
        let mut environment: Vec<_> = env::vars_os().filter(|(name, _)| !own(name)).collect();
        for variable in &self.env {
            let text = variable.as_encoded_bytes();
            let length = text.iter().position(|byte| *byte == b'=');
            let (name, value) = match length.map(|length| split(variable, length)) {
                Some((name, value)) => (name, Some(value)),
                None => (variable.clone(), None),
            };
            environment.retain(|(other, _)| *other != name);
            environment.extend(value.map(|value| (name, value)));
        }
        environment
    }

    /// The program's directory, an absolute path.
    pub fn directory(&self) -> Result<PathBuf> {
        let current = env::current_dir();
        match &self.cwd {
            Some(directory) if directory.is_absolute() => Ok(directory.clone()),
            None if self.pack => Ok("/".into()),
            directory => {
                let current =
                    current.context("the current directory does not exist any more; name another one with --cwd DIR")?;
                Ok(directory
                    .as_ref()
                    .map_or(current.clone(), |directory| current.join(directory)))
            }
        }
    }
}

/// `text` before the character at `place`, and after it.
fn split(text: &OsStr, place: usize) -> (OsString, OsString) {
    let bytes = text.as_bytes();
    let part = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
    (part(&bytes[..place]), part(&bytes[place + 1..]))
}

fn parse_share(text: &OsStr) -> Result<Share> {
    let usage = |what: &str| {
        let text = text.to_string_lossy();
        anyhow::Error::new(Usage(format!("--share {text}: {what}")))
    };
    let last = |text: &OsStr| {
        text.as_encoded_bytes()
            .iter()
            .rposition(|byte| *byte == b':')
    };
    let (mut rest, mut writable) = (text.to_owned(), false);
    if let Some(place) = last(&rest) {
        let (path, mode) = split(&rest, place);
        if mode == "rw" || mode == "ro" {
            (rest, writable) = (path, mode == "rw");
        }
    }
    let (path, at) = match last(&rest) {
        Some(place) => split(&rest, place),
        None => (rest.clone(), rest),
    };
    let path = Path::new(&path)
        .canonicalize()
        .map_err(|error| usage(&error.to_string()))?;
    if !path.is_dir() {
        return Err(usage("this is not a directory; name a directory"));
    }
    // Without a place of its own, it is at the path that the user wrote.
    let at = std::path::absolute(&at).map_err(|error| usage(&error.to_string()))?;
    if at == Path::new("/") {
        return Err(usage(
            "this path is the guest's own root; name another one with --share DIR:AT",
        ));
    }
    Ok(Share { path, at, writable })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_a_place_and_a_mode() {
        for (text, path, at, writable) in [
            ("/proc", "/proc", "/proc", false),
            ("/proc:rw", "/proc", "/proc", true),
            ("/proc:/mnt/x", "/proc", "/mnt/x", false),
            ("/proc:/mnt:rw", "/proc", "/mnt", true),
        ] {
            let share = parse_share(text.as_ref()).unwrap();
            let expected = Share {
                path: path.into(),
                at: at.into(),
                writable,
            };
            assert_eq!(share, expected, "{text}");
        }
        for (text, error) in [
            (
                "/no-such",
                "--share /no-such: No such file or directory (os error 2)",
            ),
            (
                "/etc/passwd",
                "--share /etc/passwd: this is not a directory; name a directory",
            ),
            (
                "/",
                "--share /: this path is the guest's own root; name another one with --share DIR:AT",
            ),
        ] {
            assert_eq!(parse_share(text.as_ref()).unwrap_err().to_string(), error);
        }
    }
}
