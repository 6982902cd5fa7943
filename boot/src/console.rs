//! What the guest says: the expected text, a panic, and the last line.
//!
//! Bytes are looked at as they arrive, in whatever pieces, and never kept: a prompt without a
//! newline counts, and output without end takes no more memory than any other.

/// How the kernel announces that it gives up, with the reason on the rest of the line.
const PANIC: &str = "Kernel panic - not syncing: ";

/// How much of a line is kept, in bytes. The kernel's own lines have at most 1,024.
const LINE: usize = 1024;

/// The reader of a serial console.
#[derive(Debug)]
pub struct Console {
    expected: Option<Needle>,
    panic: Needle,
    line: Vec<u8>,
    last_line: Vec<u8>,
    /// The line of the panic, once it is over.
    panic_line: Option<Vec<u8>>,
    panicked: bool,
    seen: bool,
    fresh: bool,
}

impl Console {
    /// A console on which `expected`, if anything, is looked for.
    pub fn new(expected: Option<&str>) -> Self {
        Console {
            expected: expected.map(Needle::new),
            panic: Needle::new(PANIC),
            line: Vec::with_capacity(LINE),
            last_line: Vec::new(),
            panic_line: None,
            panicked: false,
            seen: false,
            fresh: true,
        }
    }

    /// Takes what has arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.seen |= self.expected.as_mut().is_some_and(|text| text.feed(byte));
            self.fresh = byte == b'\n';
            if self.fresh {
                self.end_line();
            } else if self.line.len() < LINE {
                self.line.push(byte);
            }
            if self.panic.feed(byte) && !self.panicked {
                // What came before it on the line, a time or endless garbage, must not crowd the
                // reason out.
                self.line.clear();
                self.line.extend_from_slice(PANIC.as_bytes());
                self.panicked = true;
            }
        }
    }

    fn end_line(&mut self) {
        if self.panicked && self.panic_line.is_none() {
            self.panic_line = Some(self.line.clone());
        }
        if !self.line.trim_ascii().is_empty() {
            std::mem::swap(&mut self.line, &mut self.last_line);
        }
        self.line.clear();
    }

    /// Whether the expected text has been seen.
    pub fn seen(&self) -> bool {
        self.seen
    }

    /// Whether the kernel has panicked.
    pub fn panicked(&self) -> bool {
        self.panicked
    }

    /// Why the kernel panicked, as far as it has said so.
    pub fn panic_reason(&self) -> Option<String> {
        let line = self.panic_line.as_ref().unwrap_or(&self.line);
        self.panicked.then(|| printable(&line[PANIC.len()..]))
    }

    /// The last line that is not blank, finished or not.
    pub fn last_line(&self) -> Option<String> {
        [&self.line, &self.last_line]
            .map(|line| printable(line))
            .into_iter()
            .find(|line| !line.is_empty())
    }

    /// Whether the next byte begins a line.
    pub fn at_line_start(&self) -> bool {
        self.fresh
    }
}

/// `bytes` as text that does nothing to a terminal: no controls, no blanks around it.
fn printable(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes)
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    text.trim().to_owned()
}

/// A text looked for in a stream, one byte at a time, after Knuth, Morris and Pratt.
#[derive(Debug)]
struct Needle {
    text: Vec<u8>,
    /// For each `n`: how many of the first `n + 1` bytes' last ones are also their first ones (but
    /// not all of them). So many still match when the byte after them does not.
    borders: Vec<usize>,
    matched: usize,
}

impl Needle {
    fn new(text: &str) -> Self {
        let text = text.as_bytes().to_vec();
        let mut borders = vec![0; text.len()];
        for end in 1..text.len() {
            borders[end] = advance(&text, &borders, borders[end - 1], text[end]);
        }
        Needle {
            text,
            borders,
            matched: 0,
        }
    }

    /// Takes the next byte; true if the text ends with it.
    fn feed(&mut self, byte: u8) -> bool {
        if self.matched == self.text.len() {
            self.matched = self.borders.last().copied().unwrap_or(0);
        }
        self.matched = advance(&self.text, &self.borders, self.matched, byte);
        self.matched == self.text.len()
    }
}

/// How many bytes of `text` match once `byte` has followed `matched` that did.
fn advance(text: &[u8], borders: &[usize], mut matched: usize, byte: u8) -> usize {
    while matched > 0 && text[matched] != byte {
        matched = borders[matched - 1];
    }
    matched + usize::from(text.get(matched) == Some(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(expected: &str, pieces: &[&[u8]]) -> Console {
        let mut console = Console::new(Some(expected));
        pieces.iter().for_each(|piece| console.feed(piece));
        console
    }

    #[test]
    fn the_text_is_found_across_every_split() {
        let stream = b"x Hello, Hello, world!";
        for at in 0..stream.len() {
            assert!(fed("Hello, world!", &[&stream[..at], &stream[at..]]).seen());
        }
        assert!(!fed("Hello, world!", &[&stream[..stream.len() - 1]]).seen());
    }

    #[test]
    fn the_needle_agrees_with_a_plain_search() {
        // Every text of up to 4 and every stream of up to 8 of two letters: all the ways in which
        // borders nest.
        let words = |length: u32| {
            (0..1 << length).map(move |bits: u32| {
                (0..length)
                    .map(|i| b'a' + ((bits >> i) & 1) as u8)
                    .collect::<Vec<u8>>()
            })
        };
        for text in (1..=4).flat_map(words) {
            for stream in (1..=8).flat_map(words) {
                let mut needle = Needle::new(std::str::from_utf8(&text).unwrap());
                for end in 1..=stream.len() {
                    assert_eq!(
                        needle.feed(stream[end - 1]),
                        stream[..end].ends_with(&text),
                        "{text:?} in {stream:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_panic_is_known_before_its_line_ends() {
        let mut console = Console::new(None);
        console.feed(b"[    0.1] Kernel panic - not syncing:");
        assert!(!console.panicked());
        console.feed(b" Attempted to kill");
        assert_eq!(console.panic_reason().unwrap(), "Attempted to kill");
        console.feed(b" init! exitcode=0x00000000\r\nCPU: 0\n---[ end Kernel panic - not syncing: again ]---\n");
        assert_eq!(
            console.panic_reason().unwrap(),
            "Attempted to kill init! exitcode=0x00000000"
        );
    }

    #[test]
    fn the_last_line_is_the_last_with_something_on_it() {
        assert_eq!(fed("x", &[]).last_line(), None);
        assert_eq!(fed("x", &[b"one\r\n\r\n \n"]).last_line().unwrap(), "one");
        assert_eq!(fed("x", &[b"one\n# "]).last_line().unwrap(), "#");
    }

    #[test]
    fn nothing_from_the_guest_reaches_a_sentence_raw() {
        let console = fed("x", &[b"\x1b[31mred\x07\0 \xff\n"]);
        assert_eq!(console.last_line().unwrap(), "[31mred \u{fffd}");
    }

    #[test]
    fn endless_output_is_forgotten() {
        let mut console = fed("end", &[]);
        for _ in 0..10_000 {
            console.feed(&[b'e'; 100]);
        }
        console.feed(b"Kernel panic - not syncing: late");
        assert!(console.line.capacity() <= 2 * LINE);
        assert_eq!(console.panic_reason().unwrap(), "late");
        console.feed(b"\nend");
        assert!(console.seen());
    }
}
