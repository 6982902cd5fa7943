//! Raw mode, which is always undone.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::panic;
use std::sync::Arc;

use rustix::termios::{
    ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios,
    tcgetattr, tcgetwinsize, tcsetattr,
};

/// A terminal and its original modes.
#[derive(Clone, Debug)]
pub struct Saved {
    terminal: Arc<OwnedFd>,
    modes: Termios,
}

impl Saved {
    /// Gives the terminal its original modes.
    pub fn restore(&self) {
        // `Now` does not wait until the output is read, which may never happen. Ignore errors: the
        // terminal may be closed.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.modes);
    }
}

/// The rows and the columns of the user's terminal, which is one of the standard streams.
pub fn size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(io::stdin()).or_else(|_| tcgetwinsize(io::stdout()));
    let size = size.or_else(|_| tcgetwinsize(io::stderr())).ok()?;
    Some((size.ws_row, size.ws_col))
}

/// What the terminal does with output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Output {
    /// `\n` starts a line, as for a guest's serial console.
    Cooked,
    /// Nothing: the guest has a terminal of its own, which does it.
    Raw,
}

/// A terminal in raw mode. Dropping it restores the terminal.
#[derive(Debug)]
pub struct RawMode(Saved);

impl RawMode {
    /// Switches the terminal to raw mode: every key is a byte, even Ctrl-C.
    pub fn enter(terminal: impl AsFd, output: Output) -> io::Result<Self> {
        let terminal = Arc::new(terminal.as_fd().try_clone_to_owned()?);
        let modes = tcgetattr(&terminal)?;
        let mut raw = modes.clone();
        if output == Output::Raw {
            raw.output_modes -= OutputModes::OPOST;
        }
        raw.input_modes -= InputModes::IGNBRK
            | InputModes::BRKINT
            | InputModes::PARMRK
            | InputModes::ISTRIP
            | InputModes::INLCR
            | InputModes::IGNCR
            | InputModes::ICRNL
            | InputModes::IXON;
        raw.local_modes -= LocalModes::ECHO
            | LocalModes::ECHONL
            | LocalModes::ICANON
            | LocalModes::ISIG
            | LocalModes::IEXTEN;
        raw.control_modes = (raw.control_modes - ControlModes::CSIZE) | ControlModes::CS8;
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        let saved = Saved { terminal, modes };
        // A panic that aborts drops nothing, so a hook restores the terminal.
        let (saved_too, report) = (saved.clone(), panic::take_hook());
        panic::set_hook(Box::new(move |panic| {
            saved_too.restore();
            report(panic);
        }));
        tcsetattr(&saved.terminal, OptionalActions::Now, &raw)?;
        Ok(RawMode(saved))
    }

    /// The terminal and its original modes, to restore them without dropping this.
    pub fn saved(&self) -> Saved {
        self.0.clone()
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        self.0.restore();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};

    #[test]
    fn a_panic_restores_the_terminal_even_if_nothing_is_dropped() {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let user = openpt(flags).unwrap();
        unlockpt(&user).unwrap();
        let terminal = ioctl_tiocgptpeer(&user, flags).unwrap();
        let modes = || format!("{:?}", tcgetattr(&terminal).unwrap());
        let before = modes();
        let raw = RawMode::enter(&terminal, Output::Raw).unwrap();
        assert_ne!(modes(), before);
        std::mem::forget(raw);
        std::thread::spawn(|| panic!("on purpose"))
            .join()
            .unwrap_err();
        assert_eq!(modes(), before);
    }
}
