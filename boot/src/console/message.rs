//! The kernel's messages, cut out of whatever else is on the console.
//!
//! A message begins where a line does, or behind a time wherever that stands: the kernel does not
//! wait for a program that has written `login: ` to end its line. (`printk_get_text` in the kernel
//! writes `[%5lu.%06lu] ` before a message, and with `CONFIG_PRINTK_CALLER` `[    T1]` before the
//! blank.) A message without a time (`printk.time=0`) is known only where a line begins. So a
//! pattern in the middle of a message, of the command line that the kernel repeats for example,
//! means nothing.
//!
//! What a program writes may look like the kernel's. Nobody is deceived by that but the program's
//! own author.

/// How much of a message is kept, in bytes. The kernel's own have at most 1,024.
const KEPT: usize = 1024;

/// The message that is being written.
#[derive(Debug, Default)]
pub struct Message {
    text: Vec<u8>,
    stamp: Stamp,
}

impl Message {
    /// Takes the next byte of the console; true if it ends the message.
    pub fn feed(&mut self, byte: u8) -> bool {
        if byte == b'\n' {
            return true;
        }
        self.stamp = self.stamp.next(byte);
        if self.stamp == Stamp::Over {
            self.begin_with("");
        } else if self.text.len() < KEPT {
            self.text.push(byte);
        }
        false
    }

    /// Forgets what came before, as if the message had begun with `text`.
    pub fn begin_with(&mut self, text: &str) {
        self.text.clear();
        self.text.extend_from_slice(text.as_bytes());
        self.stamp = Stamp::No;
    }

    /// What there is of it, as text that does nothing to a terminal.
    pub fn text(&self) -> String {
        printable(&self.text)
    }
}

/// `bytes` as text that does nothing to a terminal: no controls, no blanks around it.
pub fn printable(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes)
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    text.trim().to_owned()
}

/// How much of `[    0.123456] `, `[    0.123456][    T1] ` or `[    T1] ` has been seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Stamp {
    #[default]
    No,
    /// `[`, and blanks.
    Open,
    /// ... and digits.
    Seconds,
    /// ... and a dot, and so many digits.
    Fraction(u8),
    /// ... and `]`.
    Closed,
    /// ... and `[`, and blanks.
    Caller,
    /// ... and `T` or `C`, and digits.
    Id,
    /// ... and `]`.
    CallerClosed,
    /// ... and a blank: it is complete.
    Over,
}

impl Stamp {
    /// With the next byte.
    pub(crate) fn next(self, byte: u8) -> Self {
        match (self, byte) {
            (Stamp::Open, b' ') => Stamp::Open,
            (Stamp::Open | Stamp::Seconds, b'0'..=b'9') => Stamp::Seconds,
            (Stamp::Seconds, b'.') => Stamp::Fraction(0),
            (Stamp::Fraction(digits @ 0..6), b'0'..=b'9') => Stamp::Fraction(digits + 1),
            (Stamp::Fraction(6), b']') => Stamp::Closed,
            (Stamp::Closed, b'[') => Stamp::Caller,
            (Stamp::Caller, b' ') => Stamp::Caller,
            (Stamp::Open | Stamp::Caller, b'T' | b'C') => Stamp::Id,
            (Stamp::Id, b'0'..=b'9') => Stamp::Id,
            (Stamp::Id, b']') => Stamp::CallerClosed,
            (Stamp::Closed | Stamp::CallerClosed, b' ') => Stamp::Over,
            (_, b'[') => Stamp::Open,
            _ => Stamp::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(console: &str) -> Vec<String> {
        let mut message = Message::default();
        let mut messages = Vec::new();
        for byte in console.bytes() {
            if message.feed(byte) {
                messages.push(message.text());
                message.begin_with("");
            }
        }
        messages.push(message.text());
        messages
    }

    #[test]
    fn a_message_begins_behind_its_time() {
        for (console, message) in [
            ("[    0.123456] Oops: x\r", "Oops: x"),
            ("[12345.123456] Oops: x", "Oops: x"),
            ("[    0.123456][    T1] Oops: x", "Oops: x"),
            ("[  123.123456][ C1234] Oops: x", "Oops: x"),
            ("[    T1] Oops: x", "Oops: x"),
            ("Oops: x", "Oops: x"),
            ("login: [    0.123456] Oops: x", "Oops: x"),
            ("[[    0.123456] Oops: x", "Oops: x"),
            ("[    0.12345] Oops: x", "[    0.12345] Oops: x"),
            ("[    0.1234567] Oops: x", "[    0.1234567] Oops: x"),
            ("[x] Oops: x", "[x] Oops: x"),
            ("login: Oops: x", "login: Oops: x"),
        ] {
            assert_eq!(messages(console), [message], "{console}");
        }
        assert_eq!(
            messages("one\n[    0.1] two\n"),
            ["one", "[    0.1] two", ""]
        );
    }

    #[test]
    fn endless_output_does_not_crowd_a_message_out() {
        let console = "x".repeat(100_000) + "[    0.123456] Oops: x";
        assert_eq!(messages(&console), ["Oops: x"]);
        let mut message = Message::default();
        console.bytes().for_each(|byte| {
            message.feed(byte);
        });
        assert!(message.text.capacity() <= 2 * KEPT);
    }
}
