//! Unpacks a block of LZO1X, as Documentation/staging/lzo.rst of the kernel describes it.
//!
//! A block is a sequence of instructions. Each copies bytes from the output so far, and then up to 3 literals, which
//! are bytes of the input. How many literals the instruction before has copied is a part of the meaning of an
//! instruction.

/// Unpacks `input` into `output`. Returns the size of the data, or `None` if the block is corrupt or larger than
/// `output`.
pub(super) fn unpack(input: &[u8], output: &mut [u8]) -> Option<usize> {
    let mut block = Block {
        input,
        output,
        size: 0,
    };
    block.run()?;
    Some(block.size)
}

struct Block<'a> {
    /// What is not read yet.
    input: &'a [u8],
    output: &'a mut [u8],
    /// The size of the output so far.
    size: usize,
}

/// How many literals the last instruction has copied: up to 3 of them, or a string of 4 or more.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    Literals(usize),
    String,
}

impl Block<'_> {
    fn run(&mut self) -> Option<()> {
        // Version 1 has runs of zeros, and a block needs 5 bytes for its first two bytes to tell it.
        let version = match *self.input {
            [17, version, _, _, _, ..] => {
                self.input = &self.input[2..];
                version
            }
            _ => 0,
        };
        let mut last = Last::Literals(0);
        if let Some(&first @ 18..) = self.input.first() {
            self.byte()?;
            let length = usize::from(first) - 17;
            self.literals(length)?;
            last = match length {
                4.. => Last::String,
                length => Last::Literals(length),
            };
        }
        loop {
            let code = self.byte()?;
            let bits = usize::from(code);
            let (length, distance, literals) = match (code, last) {
                (0..=15, Last::Literals(0)) => {
                    let length = 3 + self.length(bits, 15)?;
                    self.literals(length)?;
                    last = Last::String;
                    continue;
                }
                (0..=15, Last::Literals(_)) => {
                    (2, (self.number()? << 2) + (bits >> 2) + 1, bits & 3)
                }
                (0..=15, Last::String) => (3, (self.number()? << 2) + (bits >> 2) + 2049, bits & 3),
                (16..=31, _) => {
                    let word = self.peek_word()?;
                    let is_run = version != 0 && code & 8 != 0 && word >> 2 == 0x3fff;
                    if is_run {
                        self.input = &self.input[2..];
                        let length = ((self.number()? << 3) | (bits & 7)) + 4;
                        self.zeros(length)?;
                        last = self.few(word & 3)?;
                        continue;
                    }
                    let length = 2 + self.length(bits & 7, 7)?;
                    let word = self.word()?;
                    let distance = ((bits & 8) << 11) + (word >> 2);
                    if distance == 0 {
                        // The end, with the one length that an end has.
                        return (length == 3 && self.input.is_empty()).then_some(());
                    }
                    (length, distance + 0x4000, word & 3)
                }
                (32..=63, _) => {
                    let length = 2 + self.length(bits & 31, 31)?;
                    let word = self.word()?;
                    (length, (word >> 2) + 1, word & 3)
                }
                (64.., _) => {
                    let distance = (self.number()? << 3) + ((bits >> 2) & 7) + 1;
                    ((bits >> 5) + 1, distance, bits & 3)
                }
            };
            self.copy(length, distance)?;
            last = self.few(literals)?;
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.input.split_first()?;
        self.input = rest;
        Some(byte)
    }

    fn number(&mut self) -> Option<usize> {
        self.byte().map(usize::from)
    }

    fn peek_word(&self) -> Option<usize> {
        let word = self.input.first_chunk()?;
        Some(u16::from_le_bytes(*word).into())
    }

    fn word(&mut self) -> Option<usize> {
        let word = self.peek_word()?;
        self.input = &self.input[2..];
        Some(word)
    }

    /// A length, which follows the instruction if its own bits are 0: a number of zero bytes, which count 255 each, and
    /// another byte, beside the largest value `max` of the bits.
    fn length(&mut self, bits: usize, max: usize) -> Option<usize> {
        if bits > 0 {
            return Some(bits);
        }
        let mut length = max;
        loop {
            match self.number()? {
                0 => length += 255,
                last => return Some(length + last),
            }
        }
    }

    /// Makes room for `length` more bytes of output.
    fn grow(&mut self, length: usize) -> Option<&mut [u8]> {
        let end = self.size.checked_add(length)?;
        let room = self.output.get_mut(self.size..end)?;
        self.size = end;
        Some(room)
    }

    fn literals(&mut self, length: usize) -> Option<()> {
        let (literals, rest) = self.input.split_at_checked(length)?;
        self.input = rest;
        self.grow(length)?.copy_from_slice(literals);
        Some(())
    }

    /// Copies the literals after an instruction, at most 3.
    fn few(&mut self, literals: usize) -> Option<Last> {
        self.literals(literals)?;
        Some(Last::Literals(literals))
    }

    fn zeros(&mut self, length: usize) -> Option<()> {
        self.grow(length)?.fill(0);
        Some(())
    }

    /// Copies bytes from `distance` bytes before. The copy may overlap what it is made of, and then repeats it.
    fn copy(&mut self, length: usize, distance: usize) -> Option<()> {
        let from = self.size.checked_sub(distance)?;
        let to = self.size;
        self.grow(length)?;
        match distance >= length {
            true => self.output.copy_within(from..from + length, to),
            false => {
                for at in 0..length {
                    self.output[to + at] = self.output[from + at];
                }
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(block: &[u8]) -> Option<Vec<u8>> {
        let mut output = [0xaa; 2048];
        unpack(block, &mut output).map(|size| output[..size].to_vec())
    }

    /// The instruction that ends a block.
    const END: [u8; 3] = [0b1_0001, 0, 0];

    fn with_end(block: &[u8]) -> Vec<u8> {
        [block, &END].concat()
    }

    #[test]
    fn each_instruction() {
        let zeros = |count| vec![0; count];
        for (what, block, expected) in [
            (
                "literals first",
                &[20, b'a', b'b', b'c'][..],
                b"abc".to_vec(),
            ),
            (
                "a string first",
                &[21, b'a', b'b', b'c', b'd'],
                b"abcd".to_vec(),
            ),
            ("a string", &[1, b'a', b'b', b'c', b'd'], b"abcd".to_vec()),
            (
                "a long string",
                &[&[0, 2][..], &[b'x'; 20]].concat(),
                vec![b'x'; 20],
            ),
            (
                "2 bytes after literals, and one literal",
                &[20, b'a', b'b', b'c', 0b1001, 0, b'!'],
                b"abcab!".to_vec(),
            ),
            (
                "3 to 4 bytes, which overlap",
                &[20, b'a', b'b', b'c', 0b0110_0100, 0],
                b"abcbcbc".to_vec(),
            ),
            (
                "5 to 8 bytes, and 2 literals",
                &[20, b'a', b'b', b'c', 0b1110_0010, 0, b'd', b'e'],
                b"abcccccccccde".to_vec(),
            ),
            (
                "up to 16 kB away, with its length behind it",
                &[20, b'a', b'b', b'c', 0b0010_0000, 7, 0b1001, 0, b'!'],
                [&b"abc"[..], &b"abc".repeat(14)[..40], b"!"].concat(),
            ),
            (
                "zeros of version 1",
                &[17, 1, 18, b'a', 0b1_1010, 0b1111_1101, 0xff, 3, b'z'],
                [&b"a"[..], &zeros(30), b"z"].concat(),
            ),
        ] {
            assert_eq!(unpacked(&with_end(block)), Some(expected), "{what}");
        }
        let mut far = vec![21, b'a', b'b', b'c', b'd'];
        far.extend([0b0010_0000, 0, 0, 0, 0, 0, 0, 0, 1, 0b1100, 0]);
        far.extend([0b0000_0000, 0]); // After 0 literals: another string.
        assert_eq!(unpacked(&with_end(&far)), None, "the string is not there");
    }

    #[test]
    fn three_bytes_from_2_to_3_kb_away() {
        let mut block = vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 15];
        let string: Vec<u8> = (0..2070_u32).map(|n| ((n * 7) >> 3) as u8).collect();
        assert_eq!(string.len(), 3 + 15 + 8 * 255 + 12);
        block[9] = 12;
        block.extend(&string);
        block.extend([0b0101, 0, b'!']);
        let mut output = vec![0; 4096];
        let size = unpack(&with_end(&block), &mut output).unwrap();
        let from = 2070 - 2050;
        let expected = [&string[..], &string[from..from + 3], b"!"].concat();
        assert_eq!(output[..size], expected);
    }

    #[test]
    fn what_is_corrupt() {
        for (what, block) in [
            ("nothing", &b""[..]),
            ("no end", &[20, b'a', b'b', b'c']),
            (
                "an end of another length",
                &[20, b'a', b'b', b'c', 0b1_0010, 0, 0],
            ),
            (
                "more after the end",
                &[20, b'a', b'b', b'c', 0b1_0001, 0, 0, 0],
            ),
            (
                "a copy from before the data",
                &[20, b'a', b'b', b'c', 0b0110_1100, 0, 17, 0, 0],
            ),
            ("no literals", &[20, b'a']),
            ("no distance", &[20, b'a', b'b', b'c', 0b0110_1100]),
            (
                "a length without end",
                &[20, b'a', b'b', b'c', 0b0010_0000, 0, 0],
            ),
        ] {
            assert_eq!(unpacked(block), None, "{what}");
        }
        let block = with_end(&[20, b'a', b'b', b'c']);
        assert_eq!(unpack(&block, &mut [0; 3]), Some(3));
        assert_eq!(unpack(&block, &mut [0; 2]), None, "larger than the output");
    }
}
