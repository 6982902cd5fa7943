//! QEMU's process, which never outlives boot.

use std::io::{self, BufRead, BufReader};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use crate::machine::command::Vm;
use crate::machine::qmp::{Qmp, State};
use crate::machine::reaper::{self, Report};

const SIGKILL: i32 = 9;

/// The time for QEMU to end after `quit`, and for the reaper to kill the remaining processes.
const PATIENCE: Duration = Duration::from_millis(500);

/// A running QEMU. Dropping it kills it.
pub struct Qemu {
    reaper: Child,
    /// The socket to the reaper. Closing it makes the reaper end everything.
    control: BufReader<UnixStream>,
    /// The beginning of the reaper's next report.
    line: Vec<u8>,
    pid: i32,
    status: Option<ExitStatus>,
    qmp: Qmp,
}

impl Qemu {
    /// Starts QEMU with pipes for its streams; stdin is a pipe only if `interactive`. Calls `on_stop` when
    /// the guest's processors stop, and when they run again.
    pub fn start(
        vm: &Vm,
        interactive: bool,
        on_stop: impl Fn(bool) + Send + Sync + 'static,
    ) -> Result<Self> {
        let (qmp, peer) = Qmp::pair(on_stop).context("cannot create QEMU's control channel")?;
        let (control, theirs) = UnixStream::pair().context("cannot create the reaper's socket")?;
        let theirs = OwnedFd::from(theirs);
        let mut command = reaper::command(&theirs, peer.descriptor(), vm.qemu.as_os_str());
        command
            .args(peer.arguments())
            .args(vm.arguments())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.stdin(if interactive {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        let reaper = command.spawn().context("cannot start QEMU's reaper")?;
        // Close these ends here, so that each connection ends with the other process.
        drop((theirs, peer));
        let mut qemu = Qemu {
            reaper,
            control: BufReader::new(control),
            line: Vec::new(),
            pid: 0,
            status: None,
            qmp,
        };
        let started = match qemu
            .report()
            .context("cannot read the report of QEMU's reaper")?
        {
            Some(Report::Started(pid)) => {
                qemu.pid = pid;
                return Ok(qemu);
            }
            Some(Report::NotStarted(errno)) => anyhow!(io::Error::from_raw_os_error(errno)),
            other => anyhow!("its reaper reported {other:?}"),
        };
        let (name, package) = (vm.qemu.display(), vm.target.qemu);
        Err(started).with_context(|| {
            format!(
                "{name}: cannot start QEMU \
                 (install {package}, or name it with --qemu FILE or BOOT_QEMU=FILE)"
            )
        })
    }

    /// The reaper's next report; nothing if the reaper has ended.
    fn report(&mut self) -> io::Result<Option<Report>> {
        if self.control.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        let report = serde_json::from_slice(&self.line)?;
        self.line.clear();
        Ok(Some(report))
    }

    /// QEMU's stdin, if it is a pipe, stdout and stderr. Can be called once.
    pub fn streams(&mut self) -> (Option<ChildStdin>, ChildStdout, ChildStderr) {
        let (stdout, stderr) = (self.reaper.stdout.take(), self.reaper.stderr.take());
        (
            self.reaper.stdin.take(),
            stdout.expect("taken once"),
            stderr.expect("taken once"),
        )
    }

    /// The process id of QEMU, or of a wrapper around it.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// QEMU's exit status, if it ends by itself within `patience`.
    pub fn wait(&mut self, patience: Duration) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            self.control.get_ref().set_read_timeout(Some(patience))?;
            match self.report() {
                Ok(Some(Report::Ended(status))) => self.status = Some(ExitStatus::from_raw(status)),
                Ok(Some(_)) => {}
                // The reaper was killed, and so the kernel killed QEMU.
                Ok(None) => self.status = Some(ExitStatus::from_raw(SIGKILL)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.status)
    }

    /// QEMU's reports on its control channel so far.
    pub fn said(&self) -> State {
        self.qmp.state()
    }

    /// The same for a QEMU that has ended: waits for its last reports, which may take a while on a busy
    /// host.
    pub fn last_words(&self) -> State {
        self.qmp.closed(PATIENCE * 10);
        self.said()
    }

    /// Ends QEMU: with `quit` if possible, so that it completes its writes to disk images.
    pub fn end(&mut self) {
        if self.said().ready.is_some() && self.qmp.quit(PATIENCE) {
            let _ = self.wait(PATIENCE);
        }
        self.kill();
        // Wait for the end of the channel, with a limit: a stuck process may hold it open.
        self.qmp.closed(PATIENCE);
    }

    /// Kills QEMU, and everything that a wrapper script has started.
    fn kill(&mut self) {
        let _ = self.control.get_ref().shutdown(Shutdown::Both);
        let started = Instant::now();
        // A process that is stuck in the kernel cannot be killed; then the reaper stays, too.
        while let Ok(None) = self.reaper.try_wait() {
            if started.elapsed() >= PATIENCE {
                break;
            }
            sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        self.kill();
    }
}
