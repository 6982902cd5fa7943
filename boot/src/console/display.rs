//! Formats the guest's output for stdout. The log gets the unchanged bytes.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Instant;

/// The format, with its state.
#[derive(Debug, Default)]
pub struct Display {
    /// The start of the time in front of each line.
    since: Option<Instant>,
    harmless: bool,
    in_line: bool,
    /// The first bytes of an incomplete character.
    begun: Vec<u8>,
}

impl Display {
    /// With `since`, shows the time since then in front of every line.
    ///
    /// `harmless` output contains no escape sequences. Use it on a terminal that does not belong to the
    /// guest: a changed title, colour or character set would remain, and the terminal's answer to a query
    /// would be input for the next shell.
    pub fn new(since: Option<Instant>, harmless: bool) -> Self {
        Display {
            since,
            harmless,
            ..Display::default()
        }
    }

    /// The formatted `bytes`, which arrived `at` that time.
    pub fn show<'a>(&mut self, bytes: &'a [u8], at: Instant) -> Cow<'a, [u8]> {
        let shown = if self.harmless {
            Cow::Owned(self.disarm(bytes).into_bytes())
        } else {
            Cow::Borrowed(bytes)
        };
        match self.since {
            Some(since) => {
                let seconds = at.saturating_duration_since(since).as_secs_f64();
                Cow::Owned(self.stamp(&shown, format!("{seconds:8.3} ").as_bytes()))
            }
            None => shown,
        }
    }

    /// `bytes` with `stamp` in front of each line.
    fn stamp(&mut self, bytes: &[u8], stamp: &[u8]) -> Vec<u8> {
        let mut stamped = Vec::with_capacity(bytes.len() + stamp.len());
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            if !self.in_line {
                stamped.extend_from_slice(stamp);
            }
            stamped.extend_from_slice(line);
            self.in_line = !line.ends_with(b"\n");
        }
        stamped
    }

    /// `bytes` as text with visible control characters, except line ends and tabs.
    fn disarm(&mut self, bytes: &[u8]) -> String {
        let mut pending = std::mem::take(&mut self.begun);
        pending.extend_from_slice(bytes);
        let mut text = String::with_capacity(pending.len());
        for chunk in pending.utf8_chunks() {
            chunk.valid().chars().for_each(|c| push(&mut text, c));
            let rest = chunk.invalid();
            let at_end = rest.as_ptr_range().end == pending.as_ptr_range().end;
            let error = std::str::from_utf8(rest).err();
            if at_end && error.is_some_and(|error| error.error_len().is_none()) {
                self.begun = rest.to_vec();
            } else if !rest.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        text
    }
}

/// Adds `c` to `text`: an escape as `^[`, and so on.
fn push(text: &mut String, c: char) {
    match c {
        '\n' | '\r' | '\t' => text.push(c),
        '\0'..='\x1f' | '\x7f' => {
            text.push('^');
            text.push(char::from(c as u8 ^ 0x40));
        }
        c if c.is_control() => {
            // C1 controls; some terminals obey them.
            let _ = write!(text, "<{:02X}>", u32::from(c));
        }
        c => text.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn shown(display: &mut Display, pieces: &[&[u8]]) -> String {
        let at = Instant::now();
        let show = |bytes: &&[u8]| display.show(bytes, at).into_owned();
        let bytes: Vec<u8> = pieces.iter().flat_map(show).collect();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn bytes_are_unchanged_by_default() {
        let bytes = b"\x1b[2J\xff\0";
        let mut display = Display::new(None, false);
        assert!(matches!(
            display.show(bytes, Instant::now()),
            Cow::Borrowed(same) if same == bytes
        ));
    }

    #[test]
    fn controls_are_made_visible() {
        let mut harmless = Display::new(None, true);
        for (pieces, text) in [
            (&[&b"a\tb\r\n"[..]][..], "a\tb\r\n"),
            (&[b"\x1b]0;title\x07\x1b[31m"], "^[]0;title^G^[[31m"),
            (&[b"\0\x7f\x08"], "^@^?^H"),
            (&["\u{9b}2J".as_bytes()], "<9B>2J"),
            (&[b"\x9b2J\xff"], "\u{fffd}2J\u{fffd}"),
            (&["grün".as_bytes()], "grün"),
            // A character in pieces, and one that never ends.
            (&[b"gr\xc3", b"\xbcn \xe2", b"\x82", b"\xac"], "grün €"),
            (&[b"\xe2\x82", b"x"], "\u{fffd}x"),
        ] {
            assert_eq!(shown(&mut harmless, pieces), text, "{pieces:?}");
        }
    }

    #[test]
    fn only_an_incomplete_character_is_held_back() {
        let mut harmless = Display::new(None, true);
        for _ in 0..1000 {
            harmless.show(b"\xf0\x9f\x98", Instant::now());
            assert!(harmless.begun.len() < 4);
        }
    }

    #[test]
    fn each_line_has_the_time_of_its_first_byte() {
        let since = Instant::now();
        let mut display = Display::new(Some(since), false);
        let mut text = Vec::new();
        for (milliseconds, bytes) in [
            (5, &b"one\r\n"[..]),
            (1234, b"tw"),
            (99_999, b"o\n\nthree\n"),
            (100_000, b"# "),
        ] {
            let at = since + Duration::from_millis(milliseconds);
            text.extend_from_slice(&display.show(bytes, at));
        }
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "   0.005 one\r\n   1.234 two\n  99.999 \n  99.999 three\n 100.000 # "
        );
    }
}
