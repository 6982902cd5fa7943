//! Finds the kernel's messages in the output of the console.
//!
//! A message begins at the start of a line, or after a time stamp anywhere: the kernel does not wait until
//! a program that has written `login: ` ends its line. (The kernel writes `[%5lu.%06lu] ` before a
//! message, and with `CONFIG_PRINTK_CALLER` `[    T1]` before the blank.) A message without a time stamp
//! (`printk.time=0`) is found only at the start of a line. Text in the middle of a message, such as the
//! repeated command line, is never a message.
//!
//! A program may imitate a message of the kernel. That deceives only the author of the program.

/// The kept length of a message, in bytes. The kernel's messages have at most 1,024.
const KEPT: usize = 1024;

/// The beginning of a panic's message. The reason follows on the same line.
pub const PANIC: &str = "Kernel panic - not syncing:";

/// The current message.
#[derive(Debug, Default)]
pub struct Message {
    text: Vec<u8>,
    stamp: Stamp,
}

impl Message {
    /// Takes the next byte of the console. Returns true if it ends the message. Another message ends a panic's, and hides what a program
    /// began to write.
    pub fn feed(&mut self, byte: u8) -> bool {
        if byte == b'\n' {
            return true;
        }
        self.stamp = self.stamp.next(byte);
        if self.stamp == Stamp::Over {
            if self.text.starts_with(PANIC.as_bytes()) {
                let stamp = self.text.iter().rposition(|byte| *byte == b'[');
                self.text.truncate(stamp.unwrap_or_default());
                return true;
            }
            self.begin_with("");
        } else if self.text.len() < KEPT {
            self.text.push(byte);
        }
        false
    }

    /// Replaces the message so far by `text`.
    pub fn begin_with(&mut self, text: &str) {
        self.text.clear();
        self.text.extend_from_slice(text.as_bytes());
        self.stamp = Stamp::No;
    }

    /// The message in `line`: what follows the last time stamp, or all of it.
    pub fn after_stamp(line: &str) -> &str {
        let mut stamp = Stamp::No;
        let mut start = 0;
        for (at, byte) in line.bytes().enumerate() {
            stamp = stamp.next(byte);
            if stamp == Stamp::Over {
                start = at + 1;
                stamp = Stamp::No;
            }
        }
        &line[start..]
    }

    /// The message so far, as text without controls.
    pub fn text(&self) -> String {
        printable(&self.text)
    }
}

/// `bytes` as text without controls, and without blanks around it.
pub fn printable(bytes: &[u8]) -> String {
    without_controls(bytes).trim().to_owned()
}

/// `bytes` as text without controls and escape sequences (ECMA-48 and those of xterm): colours, titles,
/// character sets. A sequence that moves the cursor within a line becomes a blank.
pub fn without_controls(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut state = Sequence::None;
    // Blanks before and after a removed sequence become one blank.
    let mut after_blank = false;
    for c in String::from_utf8_lossy(bytes).chars() {
        let before = state;
        state = state.next(c);
        let c = match (before, state) {
            (Sequence::None, Sequence::None) if c == '\t' => ' ',
            (Sequence::None, Sequence::None) => c,
            (Sequence::Control, Sequence::None) if "CGHf`a".contains(c) => {
                after_blank = text.ends_with(' ');
                ' '
            }
            _ => {
                after_blank = text.ends_with(' ');
                continue;
            }
        };
        if !(c.is_control() || after_blank && c == ' ') {
            text.push(c);
            after_blank = false;
        }
    }
    text
}

/// The parsed part of an escape sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sequence {
    None,
    /// ESC, and intermediate characters: of a character set, say.
    Escape,
    /// ... and `[`, and parameters.
    Control,
    /// ... or `]` and the like, and a text up to BEL or ST.
    Text,
    /// ... and the ESC of ST.
    TextEscape,
}

impl Sequence {
    fn next(self, c: char) -> Self {
        match (self, c) {
            (Sequence::Text | Sequence::TextEscape, '\x07' | '\u{9c}')
            | (Sequence::TextEscape, '\\') => Sequence::None,
            (Sequence::Text, '\x1b') => Sequence::TextEscape,
            (Sequence::Text, _) => Sequence::Text,
            (_, '\x1b') => Sequence::Escape,
            (_, '\u{9b}') | (Sequence::Escape | Sequence::TextEscape, '[') => Sequence::Control,
            (_, '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}')
            | (Sequence::Escape, ']' | 'P' | 'X' | '^' | '_') => Sequence::Text,
            (Sequence::Escape, ' '..='/') => Sequence::Escape,
            (Sequence::Control, ' '..='?') => Sequence::Control,
            // The sequence ends here, or is incomplete.
            _ => Sequence::None,
        }
    }
}

/// The parsed part of `[    0.123456] `, `[    0.123456][    T1] ` or `[    T1] `.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Stamp {
    #[default]
    No,
    /// `[`, and blanks.
    Open,
    /// ... and digits.
    Seconds,
    /// ... and a dot, and this number of digits.
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
    /// The state after the next byte.
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
    fn a_message_begins_after_its_time_stamp() {
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
    fn escape_sequences_are_dropped_as_a_whole() {
        for (bytes, text) in [
            ("plain", "plain"),
            ("\x1b[0;31m***\x1b[0m", "***"),
            ("[\x1b[0;32m  OK  \x1b[0m] Started", "[  OK  ] Started"),
            ("\x1b]0;title\x07x", "x"),
            ("\x1b]0;title\x1b\\x", "x"),
            ("\x1bP1$r\x1b\\x", "x"),
            ("a\x1b(Bb\x1b)0c\x1b=d\x1b7e", "abcde"),
            ("\u{9b}31mred\u{9c}", "red"),
            ("a\x1b[10Cb\x1b[2;3Hc", "a b c"),
            ("a \x1b[K b  c\td", "a b  c d"),
            ("a\x07\0\r\x7f", "a"),
            // Without an end.
            ("a\x1b[31", "a"),
            ("a\x1b", "a"),
            ("a\x1b]0;b", "a"),
            ("a\x1b[\x1b[31mb", "ab"),
        ] {
            assert_eq!(without_controls(bytes.as_bytes()), text, "{bytes:?}");
        }
        assert_eq!(printable(b" \x1b[1m x \x1b[m "), "x");
    }

    #[test]
    fn endless_output_does_not_hide_a_message() {
        let console = "x".repeat(100_000) + "[    0.123456] Oops: x";
        assert_eq!(messages(&console), ["Oops: x"]);
        let mut message = Message::default();
        console.bytes().for_each(|byte| {
            message.feed(byte);
        });
        assert!(message.text.capacity() <= 2 * KEPT);
    }
}
