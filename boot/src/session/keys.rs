//! The keys that boot and QEMU handle themselves.

/// Ctrl-C, which ends the session.
const INTERRUPT: u8 = 0x03;

/// Ctrl-A, which makes the next key a command to QEMU.
const ESCAPE: u8 = 0x01;

/// Follows the keys as QEMU does, to find out whether the user ends QEMU.
#[derive(Debug, Default)]
pub struct Keys {
    escaped: bool,
    reached_qemu: bool,
}

impl Keys {
    /// Takes typed bytes; true if they end the session.
    pub fn feed(&mut self, bytes: &[u8]) -> bool {
        for &byte in bytes {
            if byte == INTERRUPT {
                return true;
            }
            // `x` ends QEMU; `c` opens its monitor, where `quit` ends it.
            self.reached_qemu |= self.escaped && matches!(byte, b'x' | b'c');
            self.escaped = byte == ESCAPE && !self.escaped;
        }
        false
    }

    /// Whether the user ended QEMU or opened its monitor.
    pub fn reached_qemu(&self) -> bool {
        self.reached_qemu
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(pieces: &[&[u8]]) -> (bool, bool) {
        let mut keys = Keys::default();
        let ended = pieces.iter().any(|piece| keys.feed(piece));
        (ended, keys.reached_qemu())
    }

    #[test]
    fn ctrl_c_ends_the_session_anywhere() {
        assert_eq!(typed(&[b"ls\r\x03"]), (true, false));
        assert_eq!(typed(&[b"\x01", b"\x03"]), (true, false));
        assert_eq!(typed(&[b"ls\r"]), (false, false));
    }

    #[test]
    fn ctrl_a_x_and_ctrl_a_c_are_for_qemu() {
        assert_eq!(typed(&[b"\x01x"]), (false, true));
        assert_eq!(typed(&[b"\x01", b"c", b"quit\r"]), (false, true));
        assert_eq!(
            typed(&[b"\x01\x01x"]),
            (false, false),
            "Ctrl-A twice is a Ctrl-A for the guest"
        );
        assert_eq!(typed(&[b"\x01hx"]), (false, false));
    }
}
