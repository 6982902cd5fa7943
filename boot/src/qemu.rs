//! QEMU's process, which never outlives its starter.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{
    Pid, Signal, getpid, getppid, kill_process_group, set_parent_process_death_signal,
};

use crate::command::Vm;
use crate::qmp::{Qmp, State};

/// How long QEMU may take to end in order.
const PATIENCE: Duration = Duration::from_millis(500);

/// A running QEMU. Dropping it kills it.
#[derive(Debug)]
pub struct Qemu {
    child: Child,
    qmp: Qmp,
}

impl Qemu {
    /// Starts QEMU with pipes for its three streams, or without a stdin. It dies with the *thread*
    /// that calls this: call it from one that lasts.
    pub fn start(vm: &Vm, interactive: bool) -> Result<Self> {
        let (qmp, peer) = Qmp::pair().context("cannot make QEMU's control channel")?;
        let mut command = Command::new(&vm.qemu);
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
        // The terminal's Ctrl-C goes to a whole process group. boot alone decides what it means.
        command.process_group(0);
        die_with_starter(&mut command);
        let child = command.spawn().with_context(|| {
            let (name, package) = (vm.qemu.display(), vm.target.qemu);
            format!(
                "{name}: cannot start QEMU \
                 (install {package}, or name it with --qemu FILE or BOOT_QEMU=FILE)"
            )
        })?;
        drop(peer);
        Ok(Qemu { child, qmp })
    }

    /// Its stdin, if it has one, stdout and stderr; once.
    pub fn streams(&mut self) -> (Option<ChildStdin>, ChildStdout, ChildStderr) {
        let (stdout, stderr) = (self.child.stdout.take(), self.child.stderr.take());
        (
            self.child.stdin.take(),
            stdout.expect("taken once"),
            stderr.expect("taken once"),
        )
    }

    /// Its exit status, if it ends by itself within `patience`.
    pub fn wait(&mut self, patience: Duration) -> io::Result<Option<ExitStatus>> {
        let started = Instant::now();
        loop {
            let status = self.child.try_wait()?;
            if status.is_some() || started.elapsed() >= patience {
                return Ok(status);
            }
            sleep(Duration::from_millis(2));
        }
    }

    /// What it has said on its control channel.
    pub fn said(&self) -> State {
        self.qmp.state()
    }

    /// The same, for one that has ended: all that it had to say.
    pub fn last_words(&self) -> State {
        self.qmp.closed(PATIENCE);
        self.said()
    }

    /// Ends it: in order if it listens, so that what it writes to, a disk perhaps, is whole.
    pub fn end(&mut self) {
        if self.said().ready.is_some() && self.qmp.quit(PATIENCE) {
            let _ = self.wait(PATIENCE);
        }
        self.kill();
        // It has nothing more to say, unless a child of its own still holds the channel.
        self.qmp.closed(PATIENCE);
    }

    /// Kills it, with whatever a wrapper script has started in its name.
    pub fn kill(&mut self) {
        // Until it has been waited for, its id is nobody else's.
        if let Ok(None) = self.child.try_wait() {
            if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = self.child.wait();
        }
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Has the kernel kill `command` when its starter dies, of SIGKILL for example, which leaves no
/// time to do it.
#[allow(unsafe_code)]
pub fn die_with_starter(command: &mut Command) {
    let starter = getpid();
    let tie = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // A starter that had died before that line would never be noticed.
        if getppid() == Some(starter) {
            Ok(())
        } else {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    };
    // SAFETY: between fork and exec of a process with threads only async-signal-safe work is
    // allowed. `tie` makes two system calls; it allocates nothing and takes no lock.
    unsafe { command.pre_exec(tie) };
}
