//! A console that is a terminal: boot has one end of a pseudoterminal (pty(7)), the guest has the other one.
//!
//! User-mode Linux tells its programs the size of such a terminal, and when it changes.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

/// boot's end of the terminal.
#[derive(Debug)]
pub struct Terminal(OwnedFd);

impl Terminal {
    /// A new terminal, which is the stdin and the stdout of `command`. It passes every byte unchanged.
    pub fn of(command: &mut Command) -> io::Result<Terminal> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let own = openpt(flags)?;
        unlockpt(&own)?;
        let other = ioctl_tiocgptpeer(&own, flags)?;
        let mut modes = tcgetattr(&other)?;
        modes.make_raw();
        tcsetattr(&other, OptionalActions::Now, &modes)?;
        command
            .stdin(Stdio::from(other.try_clone()?))
            .stdout(Stdio::from(other));
        Ok(Terminal(own))
    }

    /// Its input and output.
    pub fn file(&self) -> io::Result<File> {
        Ok(self.0.try_clone()?.into())
    }

    /// Gives it the size of the terminal `user`.
    pub fn resize(&self, user: impl AsFd) -> io::Result<()> {
        Ok(tcsetwinsize(&self.0, tcgetwinsize(user)?)?)
    }
}
