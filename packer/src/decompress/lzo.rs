//! Unpacks a file of lzop, as lib/decompress_unlzo.c of the kernel does.
//!
//! The file has a header, and then blocks of at most 256 KiB of data. The sizes of a block come before it. A size of 0
//! ends the file. The kernel ignores the checksums. We compare them, as for other formats, to find damage.

use super::lzo1x;
use libdeflater::{adler32, crc32};
use std::io::{self, BufRead, ErrorKind, Read};

/// `lzop_magic`.
const MAGIC: [u8; 9] = *b"\x89LZO\0\r\n\x1a\n";

/// The largest size of a block: `LZO_BLOCK_SIZE`. lzop's own default.
const BLOCK_MAX: usize = 256 << 10;

/// From this version of lzop on, the header has the level, and four more bytes of the time.
const VERSION_WITH_LEVEL: u16 = 0x0940;

/// Flags of the header, by lzop's src/conf.h.
const DATA_ADLER32: u32 = 0x1;
const PACKED_ADLER32: u32 = 0x2;
const EXTRA_FIELD: u32 = 0x40;
const DATA_CRC32: u32 = 0x100;
const PACKED_CRC32: u32 = 0x200;
const FILTER: u32 = 0x800;
const HEADER_CRC32: u32 = 0x1000;

/// The flags for checksums behind the sizes of a block. The kernel expects exactly one checksum.
const CHECKSUMS: u32 = DATA_ADLER32 | DATA_CRC32 | PACKED_ADLER32 | PACKED_CRC32;

/// Unpacks one file, and reads nothing after it.
pub(super) struct LzoDecoder<R> {
    input: R,
    state: State,
    /// The last block, compressed.
    packed: Vec<u8>,
    /// The last block. The part before `start` has been read, and the part after `end` is not in use.
    block: Vec<u8>,
    start: usize,
    end: usize,
}

/// What comes next.
#[derive(Clone, Copy)]
enum State {
    Header,
    /// A block, with the flags of the header.
    Block(u32),
    End,
}

impl<R: BufRead> LzoDecoder<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            state: State::Header,
            packed: Vec::new(),
            block: Vec::new(),
            start: 0,
            end: 0,
        }
    }

    pub(super) fn into_inner(self) -> R {
        self.input
    }

    fn number<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn u32(&mut self) -> io::Result<u32> {
        self.number().map(u32::from_be_bytes)
    }

    /// Reads the header. Returns its flags.
    fn header(&mut self) -> io::Result<u32> {
        if self.number()? != MAGIC {
            return Err(corrupt("its magic number is not that of lzop"));
        }
        let mut header = Header {
            input: &mut self.input,
            bytes: Vec::new(),
        };
        let version = u16::from_be_bytes(header.next()?);
        // The version of the library, the version that is needed to unpack it, and the method.
        header.next::<5>()?;
        if version >= VERSION_WITH_LEVEL {
            header.next::<1>()?;
        }
        let flags = u32::from_be_bytes(header.next()?);
        // The mode and the time.
        header.next::<8>()?;
        if version >= VERSION_WITH_LEVEL {
            header.next::<4>()?;
        }
        let [length] = header.next()?;
        for _ in 0..length {
            header.next::<1>()?;
        }
        let bytes = header.bytes;
        let expected = match flags & HEADER_CRC32 {
            0 => adler32(&bytes),
            _ => crc32(&bytes),
        };
        if self.u32()? != expected {
            return Err(corrupt("the checksum of its header is wrong"));
        }
        if flags & (FILTER | EXTRA_FIELD) != 0 {
            return Err(unsupported(
                "has a filter or an extra field, which the kernel does not know",
            ));
        }
        if (flags & CHECKSUMS).count_ones() != 1 {
            return Err(unsupported(
                "does not have exactly one checksum for each block, as the kernel expects; make it with `lzop`, without \
                 options for checksums",
            ));
        }
        Ok(flags)
    }

    fn next_block(&mut self, flags: u32) -> io::Result<()> {
        let size = self.u32()? as usize;
        if size == 0 {
            self.state = State::End;
            return Ok(());
        }
        if size > BLOCK_MAX {
            return Err(corrupt(
                "a block is larger than 256 KiB, the most that Linux takes",
            ));
        }
        let packed_size = self.u32()? as usize;
        let checksum = self.u32()?;
        if !(1..=size).contains(&packed_size) {
            return Err(corrupt("a block is larger than its data"));
        }
        self.packed.resize(packed_size, 0);
        self.input.read_exact(&mut self.packed)?;
        self.block.resize(BLOCK_MAX, 0);
        let block = &mut self.block[..size];
        if packed_size == size {
            block.copy_from_slice(&self.packed);
        } else if lzo1x::unpack(&self.packed, block) != Some(size) {
            return Err(corrupt(
                "a block does not have the data that it should have",
            ));
        }
        let summed = match flags & (PACKED_ADLER32 | PACKED_CRC32) {
            0 => &*block,
            _ => &self.packed,
        };
        let found = match flags & (DATA_CRC32 | PACKED_CRC32) {
            0 => adler32(summed),
            _ => crc32(summed),
        };
        if found != checksum {
            return Err(corrupt("the checksum of a block is wrong"));
        }
        (self.start, self.end) = (0, size);
        Ok(())
    }
}

/// A header that is being read, for its checksum.
struct Header<'a, R> {
    input: &'a mut R,
    bytes: Vec<u8>,
}

impl<R: Read> Header<'_, R> {
    fn next<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        self.bytes.extend(bytes);
        Ok(bytes)
    }
}

impl<R: BufRead> Read for LzoDecoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.start == self.end {
            match self.state {
                State::Header => self.state = State::Block(self.header()?),
                State::Block(flags) => self.next_block(flags)?,
                State::End => return Ok(0),
            }
        }
        let read = (&self.block[self.start..self.end]).read(buffer)?;
        self.start += read;
        Ok(read)
    }
}

fn corrupt(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}

/// `Decoder::explain` prepends "the lzo data".
fn unsupported(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::Unsupported, reason)
}
