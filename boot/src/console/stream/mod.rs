//! The reader of the console: the expected text, the kernel's messages, and the last lines.
//!
//! It examines bytes as they arrive and does not keep them. So it finds a prompt without a newline, and
//! endless output takes no more memory.

use std::collections::VecDeque;

use crate::console::author::Sieve;
use crate::console::message::{Message, PANIC, printable};
use crate::console::needle::Needle;

/// The kept length of a line, in bytes.
const LINE: usize = 1024;

/// The number of kept lines of programs: enough for a message and its origin.
const SAID: usize = 3;

/// Whether the expected text has been seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seen {
    /// No.
    #[default]
    No,
    /// Only in output that does not count, because no program wrote it.
    Elsewhere,
    /// Yes, in output that counts.
    Yes,
}

/// The reader of a serial console.
#[derive(Debug)]
pub struct Console {
    expected: Option<Search>,
    sieve: Sieve,
    /// The search for a panic. Its message may begin in the middle of a program's line and without a time
    /// stamp, and its line may never end.
    panic: Needle,
    panicked: bool,
    message: Message,
    line: Vec<u8>,
    last_line: Vec<u8>,
    said: Said,
    fresh: bool,
    escapes: bool,
}

/// The last lines of programs that are not blank.
#[derive(Debug, Default)]
struct Said {
    lines: VecDeque<Vec<u8>>,
    line: Vec<u8>,
}

impl Said {
    /// Takes output of programs. Returns the line that ends with it, if one does.
    fn feed(&mut self, programs: &[u8], withdrawn: bool) -> Option<String> {
        if withdrawn {
            *self = Said::default();
        }
        let mut ended = None;
        for &byte in programs {
            if byte == b'\n' {
                ended = Some(printable(&self.line));
                self.end_line();
            } else if self.line.len() < LINE {
                self.line.push(byte);
            }
        }
        ended
    }

    fn end_line(&mut self) {
        if self.line.trim_ascii().is_empty() {
            self.line.clear();
            return;
        }
        let oldest = match self.lines.len() {
            SAID => self.lines.pop_front().unwrap_or_default(),
            _ => Vec::new(),
        };
        self.lines
            .push_back(std::mem::replace(&mut self.line, oldest));
        self.line.clear();
    }

    fn lines(&self) -> Vec<String> {
        let lines = self.lines.iter().chain([&self.line]);
        let lines: Vec<_> = lines
            .map(|line| printable(line))
            .filter(|line| !line.is_empty())
            .collect();
        lines[lines.len().saturating_sub(SAID)..].to_vec()
    }
}

/// The search for a text, among all bytes and among those of programs.
#[derive(Debug)]
struct Search {
    everything: Needle,
    programs: Needle,
    counts_anywhere: bool,
    seen: Seen,
}

impl Search {
    fn new(text: &str, counts_anywhere: bool) -> Self {
        Search {
            everything: Needle::new(text),
            programs: Needle::new(text),
            counts_anywhere,
            seen: Seen::No,
        }
    }

    fn feed(&mut self, byte: u8, programs: &[u8], withdrawn: bool) {
        if withdrawn && !self.counts_anywhere {
            self.programs.reset();
            if self.seen == Seen::Yes {
                self.seen = Seen::Elsewhere;
            }
        }
        let mut in_programs = false;
        for byte in programs {
            in_programs |= self.programs.feed(*byte);
        }
        if self.everything.feed(byte) && self.seen == Seen::No {
            self.seen = Seen::Elsewhere;
        }
        if in_programs || (self.counts_anywhere && self.seen == Seen::Elsewhere) {
            self.seen = Seen::Yes;
        }
    }
}

impl Console {
    /// A console. `expected` is searched in the output of programs, or in all output if `anywhere`.
    pub fn new(expected: Option<&str>, anywhere: bool) -> Self {
        Console {
            expected: expected.map(|text| Search::new(text, anywhere)),
            sieve: Sieve::default(),
            panic: Needle::new(PANIC),
            panicked: false,
            message: Message::default(),
            line: Vec::with_capacity(LINE),
            last_line: Vec::new(),
            said: Said::default(),
            fresh: true,
            escapes: false,
        }
    }

    /// Takes new bytes. Calls `message` with each complete message, and with each line of a program that a message of the kernel has torn
    /// apart.
    pub fn feed(&mut self, bytes: &[u8], mut message: impl FnMut(&str)) {
        for &byte in bytes {
            let (programs, withdrawn) = self.sieve.feed(byte);
            if let Some(search) = &mut self.expected {
                search.feed(byte, programs, withdrawn);
            }
            // Output of programs after a panic was written before it.
            let ended = self.said.feed(programs, withdrawn);
            self.escapes |= byte == b'\x1b';
            self.fresh = byte == b'\n';
            if self.fresh {
                self.end_line();
            } else if self.line.len() < LINE {
                self.line.push(byte);
            }
            if self.message.feed(byte) {
                let text = self.message.text();
                message(&text);
                if let Some(whole) = ended.filter(|whole| *whole != text) {
                    message(&whole);
                }
                self.message.begin_with("");
            }
            if self.panic.feed(byte) && !self.panicked {
                self.panicked = true;
                self.message.begin_with(PANIC);
            }
        }
    }

    fn end_line(&mut self) {
        if !self.line.trim_ascii().is_empty() {
            std::mem::swap(&mut self.line, &mut self.last_line);
        }
        self.line.clear();
    }

    /// Whether the expected text has been seen.
    pub fn seen(&self) -> Seen {
        self.expected
            .as_ref()
            .map_or(Seen::No, |search| search.seen)
    }

    /// Whether the kernel has panicked.
    pub fn panicked(&self) -> bool {
        self.panicked
    }

    /// The incomplete message at the end.
    pub fn unfinished(&self) -> String {
        self.message.text()
    }

    /// The last line that is not blank, complete or not.
    pub fn last_line(&self) -> Option<String> {
        [&self.line, &self.last_line]
            .map(|line| printable(line))
            .into_iter()
            .find(|line| !line.is_empty())
    }

    /// The last lines of programs that are not blank, complete or not.
    pub fn said(&self) -> Vec<String> {
        self.said.lines()
    }

    /// Whether the next byte starts a line.
    pub fn at_line_start(&self) -> bool {
        self.fresh
    }

    /// Whether the output had escape sequences, which may have changed the terminal's colours.
    pub fn escapes(&self) -> bool {
        self.escapes
    }
}

#[cfg(test)]
mod tests;
