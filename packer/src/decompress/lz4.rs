//! Unpacks the legacy frame of lz4, which `lz4 -l` writes, as lib/decompress_unlz4.c of the kernel does.
//!
//! The frame is a magic number and blocks, each with its compressed size before it. It has neither an end mark nor a
//! checksum. For the kernel, it ends at four NULs or at the end of the file, and another magic number only continues
//! it. (Older kernels fail at the four NULs.) Everything else is a block, even if it is another archive.

use std::io::{self, BufRead, ErrorKind, Read};

/// `ARCHIVE_MAGICNUMBER`.
const MAGIC: [u8; 4] = 0x184c2102_u32.to_le_bytes();

/// The largest size of a block: `LZ4_DEFAULT_UNCOMPRESSED_CHUNK_SIZE`.
const BLOCK_MAX: usize = 8 << 20;

/// The largest size of a compressed block: `LZ4_COMPRESSBOUND` of the kernel's include/linux/lz4.h.
const COMPRESSED_MAX: usize = BLOCK_MAX + BLOCK_MAX / 255 + 16;

/// Unpacks one frame. Reads the four NULs after it, too.
pub(super) struct Lz4Decoder<R> {
    input: R,
    state: State,
    /// The last block, compressed.
    compressed: Vec<u8>,
    /// The last block. The part before `start` has been read, and the part after `end` is not in use.
    block: Vec<u8>,
    start: usize,
    end: usize,
}

/// What comes next.
enum State {
    Magic,
    Block,
    End,
}

impl<R: BufRead> Lz4Decoder<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            state: State::Magic,
            compressed: Vec::new(),
            block: Vec::new(),
            start: 0,
            end: 0,
        }
    }

    pub(super) fn into_inner(self) -> R {
        self.input
    }

    /// Reads the next block to `compressed`, up to `size` bytes.
    fn take(&mut self, size: usize) -> io::Result<()> {
        self.compressed.clear();
        let mut input = self.input.by_ref().take(size as u64);
        input.read_to_end(&mut self.compressed).map(drop)
    }

    fn next_block(&mut self) -> io::Result<()> {
        self.take(MAGIC.len())?;
        let Some(&word) = self.compressed.first_chunk() else {
            if matches!(self.state, State::Magic) {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.state = State::End;
            return match self.compressed.iter().any(|&byte| byte != 0) {
                true => Err(corrupt("fewer than 4 bytes follow the last block")),
                false => Ok(()),
            };
        };
        let size = u32::from_le_bytes(word) as usize;
        match (&self.state, word) {
            (_, MAGIC) => self.state = State::Block,
            (State::Magic, _) => {
                return Err(corrupt("its magic number is not 02 21 4c 18"));
            }
            _ if size == 0 => self.state = State::End,
            _ if size > COMPRESSED_MAX => {
                return Err(corrupt(
                    "a block is too large; if it is another archive, put 4 NULs before it, because Linux, too, takes \
                     it for a block",
                ));
            }
            _ => self.unpack(size)?,
        }
        Ok(())
    }

    fn unpack(&mut self, size: usize) -> io::Result<()> {
        self.take(size)?;
        if self.compressed.len() < size {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if self.block.is_empty() {
            self.block = vec![0; BLOCK_MAX];
        }
        let unpacked = lz4_flex::block::decompress_into(&self.compressed, &mut self.block);
        (self.start, self.end) = (0, unpacked.map_err(corrupt)?);
        Ok(())
    }
}

impl<R: BufRead> Read for Lz4Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.start == self.end {
            if matches!(self.state, State::End) {
                return Ok(0);
            }
            self.next_block()?;
        }
        let read = (&self.block[self.start..self.end]).read(buffer)?;
        self.start += read;
        Ok(read)
    }
}

fn corrupt(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decompress::{Decoder, Format};
    use std::io::BufReader;

    const TEXT: &str = "kernel kernel kernel kernel kernel kernel kernel kernel\n";

    /// What `lz4 -l -9` 1.9.4 makes of [`TEXT`].
    const MEMBER: &[u8] = b"\x02\x21\x4c\x18\x11\0\0\0\x7fkernel \x07\0\x19Prnel\n";

    fn unpack(member: &[u8]) -> Result<String, String> {
        let mut text = String::new();
        let mut decoder = Decoder::new(Format::Lz4, member).unwrap();
        let read = decoder.read_to_string(&mut text);
        read.map(|_| text).map_err(|error| error.to_string())
    }

    #[test]
    fn every_size_of_reads() {
        for capacity in [1, 2, 3, 5, 7, 11, 13, 1000] {
            let input = BufReader::with_capacity(capacity, MEMBER);
            let mut decoder = Decoder::new(Format::Lz4, input).unwrap();
            assert_eq!(decoder.read(&mut []).unwrap(), 0);
            let mut text: Vec<u8> = Vec::new();
            let mut buffer = vec![0; capacity];
            loop {
                match decoder.read(&mut buffer).unwrap() {
                    0 => break,
                    read => text.extend(&buffer[..read]),
                }
            }
            assert_eq!(text, TEXT.as_bytes());
        }
    }

    #[test]
    fn the_end_is_that_of_linux() {
        for (after, text, left) in [
            (&b""[..], 1, &b""[..]),
            (b"\0", 1, b""),
            (b"\0\0\0", 1, b""),
            (b"\0\0\0\0", 1, b""),
            (b"\0\0\0\0\x00070701", 1, b"\x00070701"),
            (&MEMBER[..4], 1, b""),
            (MEMBER, 2, b""),
            (&[MEMBER, b"\0\0\0\0", MEMBER].concat(), 2, MEMBER),
        ] {
            let input = [MEMBER, after].concat();
            let mut decoder = Decoder::new(Format::Lz4, &input[..]).unwrap();
            let mut read = String::new();
            decoder.read_to_string(&mut read).unwrap();
            assert_eq!(read, TEXT.repeat(text));
            assert_eq!(decoder.read(&mut [0]).unwrap(), 0);
            assert_eq!(decoder.into_inner(), left);
        }
        assert_eq!(unpack(&MEMBER[..4]).unwrap(), "", "no block");
    }

    #[test]
    fn what_linux_takes_for_a_block() {
        for after in [&b"070701"[..], b"\x00070701"] {
            let error = unpack(&[MEMBER, after].concat()).unwrap_err();
            let expected = "the lz4 data is corrupt: a block is too large; if it is another archive, put 4 NULs";
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn damage() {
        for length in (0..MEMBER.len()).filter(|&length| length != 4) {
            let error = unpack(&MEMBER[..length]).unwrap_err();
            // Where 1 to 3 bytes of the size are left, Linux ends, too.
            let expected = match length {
                5..8 => "the lz4 data is corrupt: fewer than 4 bytes follow the last block",
                _ => "the lz4 data ends too early; was it cut off?",
            };
            assert_eq!(error, expected, "{length}");
        }
        let error = unpack(b"\x02\x21\x4d\x18\0\0\0\0").unwrap_err();
        assert_eq!(
            error,
            "the lz4 data is corrupt: its magic number is not 02 21 4c 18"
        );
        // The offset of the match leads to a place before the data.
        let error = unpack(b"\x02\x21\x4c\x18\x04\0\0\0\x10a\xff\xff").unwrap_err();
        assert!(error.starts_with("the lz4 data is corrupt: "), "{error}");
    }

    #[test]
    fn large_blocks() {
        let data: Vec<u8> = (0..BLOCK_MAX as u32 + 1).map(|n| (n >> 9) as u8).collect();
        let block = |data: &[u8]| {
            let block = lz4_flex::block::compress(data);
            [&(block.len() as u32).to_le_bytes()[..], &block].concat()
        };
        let (first, second) = data.split_at(BLOCK_MAX);
        let member = [&MAGIC[..], &block(first), &block(second)].concat();
        let mut read = Vec::new();
        let mut decoder = Decoder::new(Format::Lz4, &member[..]).unwrap();
        decoder.read_to_end(&mut read).unwrap();
        assert!(read == data);
        let mut decoder = Decoder::new(Format::Lz4, &member[..]).unwrap();
        assert_eq!(decoder.read(&mut [0; 4]).unwrap(), 4);

        let too_large = [&MAGIC[..], &block(&data)].concat();
        let mut decoder = Decoder::new(Format::Lz4, &too_large[..]).unwrap();
        let error = decoder.read_to_end(&mut read).unwrap_err().to_string();
        assert!(error.starts_with("the lz4 data is corrupt: "), "{error}");
    }
}
