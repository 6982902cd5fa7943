//! The real `boot` with a fake QEMU.

#![allow(dead_code)] // Each test file uses its share.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A limit for waiting. Only a failing test reaches it, even on a busy machine.
pub const LONG: Duration = Duration::from_secs(30);

/// Lets `command` heed the signals that whoever runs the tests may ignore. boot respects that, and a shell ignores SIGINT and SIGQUIT
/// for its background jobs.
fn heed_signals(command: &mut Command) {
    let heed = || {
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
            // SAFETY: signal(2) takes two numbers.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        Ok(())
    };
    // SAFETY: `heed` makes system calls only, which are async-signal-safe.
    unsafe { command.pre_exec(heed) };
}

/// A file with the magic of a bzImage.
pub fn kernel() -> Vec<u8> {
    let mut kernel = vec![0; 0x202];
    kernel.extend_from_slice(b"HdrS");
    kernel
}

/// A directory with a kernel and an initramfs.
pub struct Fixture {
    directory: TempDir,
}

impl Fixture {
    pub fn new() -> Self {
        let fixture = Fixture {
            directory: tempfile::tempdir().unwrap(),
        };
        fs::write(fixture.path("kernel"), kernel()).unwrap();
        fs::write(fixture.path("initrd"), "an initramfs").unwrap();
        fixture
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `boot` without a kernel and an initramfs, on a QEMU that writes its process id to `pid` and then
    /// runs `script`.
    pub fn bare(&self, script: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_boot"));
        for name in [
            "BOOT_KERNEL",
            "BOOT_INITRD",
            "BOOT_KVM_TRIAL",
            "BOOT_TARGET",
        ] {
            command.env_remove(name);
        }
        // The test must not depend on this host's KVM.
        command.env("BOOT_ACCEL", "tcg");
        let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake-qemu");
        command.env("BOOT_QEMU", fake);
        command.env(
            "FAKE_QEMU",
            format!("echo $$ > pid.new; mv pid.new pid; {script}"),
        );
        command
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        heed_signals(&mut command);
        command
    }

    /// `boot` with a kernel and an initramfs, on a QEMU that runs `script`.
    pub fn boot(&self, script: &str, arguments: &[&str]) -> Command {
        let mut command = self.bare(script);
        command
            .args(["--kernel", "kernel", "--initrd", "initrd"])
            .args(arguments);
        command
    }

    /// Runs boot to its end.
    pub fn run(&self, script: &str, arguments: &[&str]) -> Ran {
        self.boot(script, arguments).output().unwrap().into()
    }

    /// The process id of the fake QEMU, once it runs.
    pub fn qemu(&self) -> Pid {
        wait_for("QEMU's start", || fs::read_to_string(self.path("pid")).ok())
            .trim()
            .parse()
            .ok()
            .and_then(Pid::from_raw)
            .unwrap()
    }
}

/// The result of a run.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        Ran {
            code: output.status.code(),
            stdout: output.stdout,
            stderr,
        }
    }
}

impl Ran {
    #[track_caller]
    pub fn expect(&self, code: i32, stderr: &str) {
        assert_eq!((self.code, self.stderr.as_str()), (Some(code), stderr));
    }

    /// The exit code, and the sentence without the lines that explain it.
    #[track_caller]
    pub fn expect_sentence(&self, code: i32, sentence: &str) {
        let first = self.stderr.lines().next().unwrap_or_default();
        assert_eq!(
            (self.code, first),
            (Some(code), sentence),
            "{}",
            self.stderr
        );
    }

    /// Success. The sentence contains an unpredictable time.
    #[track_caller]
    pub fn expect_seen(&self, text: &str) {
        assert!(
            self.stderr.starts_with(&format!("boot: saw {text:?} ")),
            "{}",
            self.stderr
        );
        assert!(
            self.stderr.ends_with(" s after the start\n"),
            "{}",
            self.stderr
        );
        assert_eq!(self.code, Some(0));
    }
}

/// Waits until `condition` returns a value.
#[track_caller]
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(started.elapsed() < LONG, "waited in vain for {what}");
        sleep(Duration::from_millis(5));
    }
}

/// Waits until the process has ended. It may remain a zombie: its new parent may not reap it.
#[track_caller]
pub fn wait_for_death(process: Pid) {
    let stat = format!("/proc/{}/stat", process.as_raw_nonzero());
    wait_for("a process to die", || match fs::read_to_string(&stat) {
        Ok(stat) => stat
            .rsplit_once(") ")
            .unwrap()
            .1
            .starts_with('Z')
            .then_some(()),
        Err(_) => Some(()),
    });
}

pub fn send(signal: Signal, process: u32) {
    kill_process(Pid::from_raw(process as i32).unwrap(), signal).unwrap();
}
