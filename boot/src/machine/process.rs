//! The process of a guest, which is QEMU or user-mode Linux. It never outlives boot.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use crate::machine::qmp::{Qmp, State};
use crate::machine::reaper::{self, Report};
use crate::machine::terminal::Terminal;
use crate::machine::vm::{Runner, Vm};
use crate::machine::{qemu, user_mode};

const SIGKILL: i32 = 9;

/// The time for QEMU to end after QMP's `quit`, and for the reaper to kill the remaining processes.
const PATIENCE: Duration = Duration::from_millis(500);

/// A running guest. Dropping it kills it.
pub struct Process {
    reaper: Child,
    /// The socket to the reaper. Closing it makes the reaper end everything.
    control: BufReader<UnixStream>,
    /// The beginning of the reaper's next report.
    line: Vec<u8>,
    pid: i32,
    status: Option<ExitStatus>,
    /// QEMU's control channel.
    qmp: Option<Qmp>,
    /// The console, if it is not a pair of pipes.
    terminal: Option<Terminal>,
}

/// The streams of a guest.
pub struct Streams {
    /// The input of the console, if it has one. The guest may end when this is closed.
    pub keyboard: Option<File>,
    /// The output of the console.
    pub console: File,
    /// What the runner says.
    pub stderr: ChildStderr,
    /// The same console as a terminal, if it is one.
    pub terminal: Option<Terminal>,
}

impl Process {
    /// Starts the guest. It has a keyboard only if `interactive`. Its devices are the other ends of the `ports`: the
    /// agent's channel to boot, and then the streams of a program that is PID 1. Calls `on_stop` when QEMU stops the
    /// guest's processors, and when they run again.
    pub fn start(
        vm: &Vm,
        interactive: bool,
        ports: &[OwnedFd],
        on_stop: impl Fn(bool) + Send + Sync + 'static,
    ) -> Result<Self> {
        let (control, theirs) = UnixStream::pair().context("cannot create the reaper's socket")?;
        let theirs = OwnedFd::from(theirs);
        let program = vm.program().as_os_str();
        let (mut command, qmp, peer, terminal) = match &vm.runner {
            Runner::Qemu(machine) => {
                let (qmp, peer) =
                    Qmp::pair(on_stop).context("cannot create QEMU's control channel")?;
                let mut command = reaper::command(
                    &theirs,
                    &inherited(Some(peer.descriptor()), ports),
                    program,
                    program,
                );
                command.args(peer.arguments());
                if !ports.is_empty() {
                    command.args(qemu::port_arguments(ports, machine.machine));
                }
                pipes(&mut command, interactive);
                (command, Some(qmp), Some(peer), None)
            }
            Runner::UserMode(host) => {
                let argv0 = OsStr::new(user_mode::ARGV0);
                let mut command = reaper::command(&theirs, &inherited(None, ports), program, argv0);
                command.args(user_mode::port_arguments(ports));
                host.prepare(&mut command);
                let terminal = match interactive {
                    true => Some(Terminal::of(&mut command).context("cannot make a terminal")?),
                    false => None,
                };
                if terminal.is_none() {
                    // The session keeps the other end of stdin, so the guest reads nothing, and not the end of
                    // a file. /dev/null would not do: "epollctl add err fd 0, Operation not permitted".
                    pipes(&mut command, true);
                }
                (command, None, None, terminal)
            }
        };
        command.args(vm.arguments()).stderr(Stdio::piped());
        let reaper = command.spawn().context("cannot start the guest's reaper")?;
        // Close these ends here, so that each connection ends with the other process.
        drop((command, theirs, peer));
        let mut process = Process {
            reaper,
            control: BufReader::new(control),
            line: Vec::new(),
            pid: 0,
            status: None,
            qmp,
            terminal,
        };
        let started = match process
            .report()
            .context("cannot read the report of the guest's reaper")?
        {
            Some(Report::Started(pid)) => {
                process.pid = pid;
                return Ok(process);
            }
            Some(Report::NotStarted(errno)) => anyhow!(io::Error::from_raw_os_error(errno)),
            other => anyhow!("its reaper reported {other:?}"),
        };
        Err(started).with_context(|| {
            let program = vm.program().display();
            match vm.target.qemu() {
                Some(qemu) => format!(
                    "{program}: cannot start QEMU (install {}, or name it with --qemu FILE or BOOT_QEMU=FILE)",
                    qemu.program
                ),
                None => format!(
                    "{program}: cannot start this kernel, which must be an executable file \
                     (chmod +x, or name another one with --kernel FILE or BOOT_KERNEL=FILE)"
                ),
            }
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

    /// Its streams. Can be called once.
    pub fn streams(&mut self) -> io::Result<Streams> {
        let stderr = self.reaper.stderr.take().expect("taken once");
        let (keyboard, console) = match &self.terminal {
            Some(terminal) => (Some(terminal.file()?), terminal.file()?),
            None => {
                let stdout = self.reaper.stdout.take().expect("taken once");
                let keyboard = self.reaper.stdin.take();
                (
                    keyboard.map(|keyboard| File::from(OwnedFd::from(keyboard))),
                    OwnedFd::from(stdout).into(),
                )
            }
        };
        Ok(Streams {
            keyboard,
            console,
            stderr,
            terminal: self.terminal.take(),
        })
    }

    /// The process id of QEMU, of a wrapper around it, or of user-mode Linux.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Its exit status, if it ends by itself within `patience`.
    pub fn wait(&mut self, patience: Duration) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            self.control.get_ref().set_read_timeout(Some(patience))?;
            match self.report() {
                Ok(Some(Report::Ended(status))) => self.status = Some(ExitStatus::from_raw(status)),
                Ok(Some(_)) => {}
                // The reaper was killed, and so the kernel killed the process.
                Ok(None) => self.status = Some(ExitStatus::from_raw(SIGKILL)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.status)
    }

    /// QEMU's reports on its control channel so far.
    pub fn said(&self) -> State {
        self.qmp.as_ref().map(Qmp::state).unwrap_or_default()
    }

    /// The same for a QEMU that has ended: waits for its last reports, which may take a while on a busy
    /// host.
    pub fn last_words(&self) -> State {
        if let Some(qmp) = &self.qmp {
            qmp.closed(PATIENCE * 10);
        }
        self.said()
    }

    /// Ends the guest: QEMU with `quit` if possible, so that it completes its writes to disk images.
    pub fn end(&mut self) {
        let is_ready = self.said().ready.is_some();
        if self
            .qmp
            .as_ref()
            .is_some_and(|qmp| is_ready && qmp.quit(PATIENCE))
        {
            let _ = self.wait(PATIENCE);
        }
        self.kill();
        // Wait for the end of the channel, with a limit: a stuck process may hold it open.
        if let Some(qmp) = &self.qmp {
            qmp.closed(PATIENCE);
        }
    }

    /// Kills the process, and everything that it has started.
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

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Gives `command` a pipe as its stdout, and as its stdin if it has a `keyboard`.
fn pipes(command: &mut Command, keyboard: bool) {
    command.stdout(Stdio::piped()).stdin(match keyboard {
        true => Stdio::piped(),
        false => Stdio::null(),
    });
}

/// The descriptors that a guest's process inherits.
fn inherited<'a>(qmp: Option<&'a OwnedFd>, ports: &'a [OwnedFd]) -> Vec<&'a OwnedFd> {
    qmp.into_iter().chain(ports).collect()
}
