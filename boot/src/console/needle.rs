//! The search for a text in a stream.

/// A search for a text in a stream, byte by byte, with the algorithm of Knuth, Morris and Pratt.
#[derive(Debug)]
pub struct Needle {
    text: Vec<u8>,
    /// For each `n`, the length of the longest proper prefix of the first `n + 1` bytes that is also their
    /// suffix. If the next byte does not match, this many bytes still do.
    borders: Vec<usize>,
    matched: usize,
}

impl Needle {
    /// A search for `text`.
    pub fn new(text: &str) -> Self {
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

    /// Starts the search again.
    pub fn reset(&mut self) {
        self.matched = 0;
    }

    /// Takes the next byte. Returns true if the text ends with it.
    pub fn feed(&mut self, byte: u8) -> bool {
        if self.matched == self.text.len() {
            self.matched = self.borders.last().copied().unwrap_or(0);
        }
        self.matched = advance(&self.text, &self.borders, self.matched, byte);
        self.matched == self.text.len()
    }
}

/// The number of matching bytes of `text` after `matched` matching bytes and `byte`.
fn advance(text: &[u8], borders: &[usize], mut matched: usize, byte: u8) -> usize {
    while matched > 0 && text[matched] != byte {
        matched = borders[matched - 1];
    }
    matched + usize::from(text.get(matched) == Some(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
