//! Raw mode, which is always undone.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::panic;
use std::sync::Arc;

use rustix::termios::{
    ControlModes, InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr,
    tcsetattr,
};

/// A terminal, and the modes that it had before.
#[derive(Clone, Debug)]
pub struct Saved {
    terminal: Arc<OwnedFd>,
    modes: Termios,
}

impl Saved {
    /// Gives the terminal these modes.
    pub fn restore(&self) {
        // At once, not when its output is drained: nobody may be reading that. And a terminal that
        // is gone needs no modes.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.modes);
    }
}

/// A terminal in raw mode for as long as this lives.
#[derive(Debug)]
pub struct RawMode(Saved);

impl RawMode {
    /// Makes every key a byte, Ctrl-C included. Output is left as it is, so that `\n` still begins
    /// a line.
    pub fn enter(terminal: impl AsFd) -> io::Result<Self> {
        let terminal = Arc::new(terminal.as_fd().try_clone_to_owned()?);
        let modes = tcgetattr(&terminal)?;
        let mut raw = modes.clone();
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
        // Where a panic aborts, nothing is dropped.
        let (saved_too, report) = (saved.clone(), panic::take_hook());
        panic::set_hook(Box::new(move |panic| {
            saved_too.restore();
            report(panic);
        }));
        tcsetattr(&saved.terminal, OptionalActions::Now, &raw)?;
        Ok(RawMode(saved))
    }

    /// What is restored, for those who cannot wait for the drop.
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
        let raw = RawMode::enter(&terminal).unwrap();
        assert_ne!(modes(), before);
        std::mem::forget(raw);
        std::thread::spawn(|| panic!("on purpose"))
            .join()
            .unwrap_err();
        assert_eq!(modes(), before);
    }
}
