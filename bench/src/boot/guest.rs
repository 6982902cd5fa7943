//! One QEMU, from its start to the line.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ::boot::console::needle::Needle;
use ::boot::machine::qemu::Accel;
use ::boot::machine::reaper::die_with_starter;
use ::boot::machine::user_mode::UserMode;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::measure::wait;

/// What each of the systems prints.
const LINE: &str = "Hello, world!";

/// What is booted.
pub struct Guest {
    pub target: &'static str,
    pub name: &'static str,
    /// Who executes its instructions, if QEMU runs it.
    pub accel: Option<Accel>,
    /// Size of its kernel, in bytes.
    pub bytes: u64,
    command: Vec<OsString>,
    /// What it needs as user-mode Linux.
    host: Option<UserMode>,
    /// What it prints in the end.
    line: &'static str,
}

/// What one boot took.
pub struct Boot {
    /// From the start to the line.
    pub time: Duration,
    /// What QEMU used of the CPU, until it was ended at the line.
    pub cpu: Duration,
}

/// What QEMU's TCG did for the guest, until QEMU was ended at the line.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Counts {
    /// Instructions that the guest executed.
    pub executed: u64,
    /// Instructions that were translated for that.
    pub translated: u64,
    /// The blocks that they were translated in.
    pub blocks: u64,
}

impl Guest {
    pub fn new(
        target: &'static str,
        name: &'static str,
        accel: Option<Accel>,
        kernel: &Path,
        command: Vec<OsString>,
    ) -> Result<Self> {
        let bytes = fs::metadata(kernel)
            .with_context(|| kernel.display().to_string())?
            .len();
        Ok(Self {
            target,
            name,
            accel,
            bytes,
            command,
            host: None,
            line: LINE,
        })
    }

    /// The same with another line in the end.
    pub fn until(self, line: &'static str) -> Self {
        Self { line, ..self }
    }

    /// The same as user-mode Linux.
    pub fn on(self, host: UserMode) -> Self {
        Self {
            host: Some(host),
            ..self
        }
    }

    /// The command of QEMU or of user-mode Linux.
    pub fn command(&self) -> &[OsString] {
        &self.command
    }

    /// Boots it.
    pub fn boot(&self) -> Result<Boot> {
        let started = Instant::now();
        let mut qemu = self.start(&[])?;
        self.until_line(&mut qemu)?;
        let time = started.elapsed();
        let pid: i32 = qemu.id().try_into()?;
        // With the processes of user-mode Linux.
        // SAFETY: kill(2) takes two numbers; the group is that of a child that was not waited for.
        unsafe { libc::kill(-pid, libc::SIGKILL) };
        let (_, usage) = wait(pid).context("waiting for QEMU")?;
        let part =
            |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
        let cpu = part(usage.ru_utime) + part(usage.ru_stime);
        Ok(Boot { time, cpu })
    }

    /// Boots it with a plugin that counts, `count.c`, working in `directory`.
    pub fn count(&self, plugin: &Path, directory: &Path) -> Result<Counts> {
        let out = directory.join("counts");
        let mut value = plugin.as_os_str().to_owned();
        value.push(",out=");
        value.push(&out);
        let mut qemu = self.start(&["-plugin".into(), value])?;
        self.until_line(&mut qemu)?;
        // In order, so that the plugin can write.
        // SAFETY: kill(2) takes two numbers; the process is a child that was not waited for.
        unsafe { libc::kill(qemu.id().try_into()?, libc::SIGTERM) };
        qemu.wait()?;
        let text = fs::read_to_string(&out).context("the plugin's counts")?;
        fs::remove_file(&out)?;
        let numbers: Vec<u64> = text
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let [executed, translated, blocks] = numbers[..] else {
            anyhow::bail!("the plugin's counts: found {text:?}");
        };
        Ok(Counts {
            executed,
            translated,
            blocks,
        })
    }

    fn start(&self, more: &[OsString]) -> Result<Child> {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).args(more).process_group(0);
        if let Some(host) = &self.host {
            host.prepare(&mut command);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        die_with_starter(&mut command);
        command
            .spawn()
            .with_context(|| format!("starting {}", Path::new(&self.command[0]).display()))
    }

    /// Reads what the guest prints until the line has come.
    fn until_line(&self, qemu: &mut Child) -> Result<()> {
        let console = qemu.stdout.as_mut().expect("piped");
        let mut needle = Needle::new(self.line);
        let mut buffer = [0; 1 << 16];
        loop {
            let length = console.read(&mut buffer)?;
            ensure!(
                length > 0,
                "{}: QEMU ended without the line: {:?}",
                self.name,
                self.command
            );
            if buffer[..length].iter().any(|&byte| needle.feed(byte)) {
                return Ok(());
            }
        }
    }
}
