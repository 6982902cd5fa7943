//! Unpacks one stream of "The .xz File Format", version 1.2, if the kernel accepts it.
//!
//! We use only the LZMA2 reader of lzma-rust2. Its .xz reader allocates a dictionary of any size in the
//! data, up to 4 GiB, and reports missing padding if the padding arrives in two reads.

use super::DICTIONARY_MAX;
use crc32fast::Hasher;
use lzma_rust2::Lzma2Reader;
use std::io::{self, Read};

/// Unpacks one stream and reads nothing after it.
pub(super) struct XzDecoder<R> {
    /// Owns the input. `None` only while `advance` changes it.
    state: Option<XzState<R>>,
    /// The size of the check after each block: 4 bytes for CRC32, or 0.
    check_length: usize,
    /// The sizes of the blocks read so far, which the index must repeat.
    blocks: Records,
}

enum XzState<R> {
    Start(Input<R>),
    Blocks(Input<R>),
    Block(Box<Block<R>>),
    End(Input<R>),
}

/// A block that is being read: section 3.
struct Block<R> {
    data: Lzma2Reader<Input<R>>,
    header: BlockHeader,
    check: Hasher,
    length: u64,
}

impl<R: Read> XzDecoder<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            state: Some(XzState::Start(Input::new(input))),
            check_length: 0,
            blocks: Records::default(),
        }
    }

    pub(super) fn into_inner(self) -> R {
        match self.state {
            Some(XzState::Start(input) | XzState::Blocks(input) | XzState::End(input)) => {
                input.inner
            }
            Some(XzState::Block(block)) => block.data.into_inner().inner,
            None => unreachable!("`advance` sets the next state"),
        }
    }

    /// Reads everything up to the data of the next block, or up to the end.
    fn advance(&mut self) -> io::Result<()> {
        let (state, result) = match self.state.take() {
            Some(XzState::Start(mut input)) => match stream_header(&mut input) {
                Ok(check_length) => {
                    self.check_length = check_length;
                    (XzState::Blocks(input), Ok(()))
                }
                Err(error) => (XzState::Start(input), Err(error)),
            },
            Some(XzState::Blocks(mut input)) => match self.blocks_or_index(&mut input) {
                Ok(Some(header)) => (XzState::Block(Block::new(header, input)), Ok(())),
                Ok(None) => (XzState::End(input), Ok(())),
                Err(error) => (XzState::Blocks(input), Err(error)),
            },
            Some(XzState::Block(block)) => {
                let Block {
                    data,
                    header,
                    check,
                    length,
                } = *block;
                let mut input = data.into_inner();
                let result = self.block_end(&mut input, &header, check, length);
                (XzState::Blocks(input), result)
            }
            Some(XzState::End(input)) => (XzState::End(input), Ok(())),
            None => unreachable!("`advance` sets the next state"),
        };
        self.state = Some(state);
        result
    }

    fn blocks_or_index(&self, input: &mut Input<R>) -> io::Result<Option<BlockHeader>> {
        input.begin();
        match input.byte()? {
            0 => index_and_footer(input, &self.blocks, self.check_length).map(|()| None),
            size => BlockHeader::read(input, size).map(Some),
        }
    }

    /// Sections 3.3 and 3.4.
    fn block_end(
        &mut self,
        input: &mut Input<R>,
        header: &BlockHeader,
        check: Hasher,
        length: u64,
    ) -> io::Result<()> {
        let compressed = input.count;
        let differs = |declared: Option<u64>, real| declared.is_some_and(|size| size != real);
        if differs(header.compressed, compressed) || differs(header.uncompressed, length) {
            return Err(invalid("a block is not as long as its header says"));
        }
        input.padding()?;
        if self.check_length > 0 && input.array()? != check.finalize().to_le_bytes() {
            return Err(invalid("the check of a block is wrong"));
        }
        let unpadded = header.length + compressed + self.check_length as u64;
        self.blocks.add(unpadded, length);
        Ok(())
    }
}

impl<R: Read> Block<R> {
    fn new(header: BlockHeader, mut input: Input<R>) -> Box<Self> {
        input.begin();
        Box::new(Self {
            data: Lzma2Reader::new(input, header.dictionary, None),
            header,
            check: Hasher::new(),
            length: 0,
        })
    }
}

impl<R: Read> Read for XzDecoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match &mut self.state {
                Some(XzState::End(_)) => return Ok(0),
                Some(XzState::Block(block)) => {
                    let length = block.data.read(buffer)?;
                    if length > 0 {
                        block.check.update(&buffer[..length]);
                        block.length += length as u64;
                        return Ok(length);
                    }
                }
                _ => {}
            }
            self.advance()?;
        }
    }
}

/// Reads the stream header, section 2.1.1. Returns the size of the checks.
fn stream_header(input: &mut Input<impl Read>) -> io::Result<usize> {
    let magic: [u8; 6] = input.array()?;
    if magic != *b"\xfd7zXZ\0" {
        return Err(invalid("it does not begin like .xz"));
    }
    input.begin();
    let flags: [u8; 2] = input.array()?;
    input.crc("the header")?;
    match flags {
        [0, 0] => Ok(0),
        [0, 1] => Ok(4),
        // `Decoder::explain` prepends "the xz data".
        _ => Err(unsupported(
            "has a check that the kernel does not know; make it with `xz --check=crc32`",
        )),
    }
}

/// Section 3.1.
struct BlockHeader {
    /// The size of the header in bytes.
    length: u64,
    compressed: Option<u64>,
    uncompressed: Option<u64>,
    dictionary: u32,
}

impl BlockHeader {
    /// Reads a block header. `size` is its first byte, which the caller has read.
    fn read(input: &mut Input<impl Read>, size: u8) -> io::Result<Self> {
        let length = (usize::from(size) + 1) * 4;
        let mut bytes = vec![0; length - 1 - 4];
        input.read_exact(&mut bytes)?;
        input.crc("a block's header")?;

        let mut fields = Input::new(&bytes[..]);
        let flags = fields.byte()?;
        let mut size = |bit| (flags & bit != 0).then(|| fields.integer()).transpose();
        let compressed = size(0x40)?;
        let uncompressed = size(0x80)?;
        if flags & 0x3f != 0 || fields.integer()? != 0x21 {
            return Err(unsupported(
                "has filters besides LZMA2, which few kernels know; make it without `--x86` and the like",
            ));
        }
        let [1, code] = fields.array()? else {
            return Err(invalid("the properties of LZMA2 are not one byte"));
        };
        // Section 5.3.1.
        let dictionary = match code {
            0..40 => (2 | u32::from(code & 1)) << (code / 2 + 11),
            40 => u32::MAX,
            _ => return Err(invalid("the size of the dictionary is not valid")),
        };
        if dictionary > DICTIONARY_MAX {
            return Err(unsupported(&format!(
                "needs a dictionary of {} MiB; {} are allowed",
                dictionary.div_ceil(1 << 20),
                DICTIONARY_MAX >> 20
            )));
        }
        if fields.inner.iter().any(|&byte| byte != 0) {
            return Err(invalid("a padding is not zero"));
        }
        Ok(Self {
            length: length as u64,
            compressed,
            uncompressed,
            dictionary,
        })
    }
}

/// Reads the index, section 4, and the footer, section 2.1.2. The caller has read the index's first byte.
fn index_and_footer(
    input: &mut Input<impl Read>,
    blocks: &Records,
    check_length: usize,
) -> io::Result<()> {
    let mut records = Records::default();
    let number = input.integer()?;
    while records.number < number.min(blocks.number) {
        let unpadded = input.integer()?;
        records.add(unpadded, input.integer()?);
    }
    if number != blocks.number || records.hash.finalize() != blocks.hash.clone().finalize() {
        return Err(invalid("the index does not match the blocks"));
    }
    input.padding()?;
    input.crc("the index")?;

    let index_length = input.count;
    let crc: [u8; 4] = input.array()?;
    input.begin();
    let backward_size: [u8; 4] = input.array()?;
    let flags: [u8; 2] = input.array()?;
    let found = input.crc.clone().finalize();
    let magic: [u8; 2] = input.array()?;
    let is_right = crc == found.to_le_bytes()
        && (u64::from(u32::from_le_bytes(backward_size)) + 1) * 4 == index_length
        && flags == [0, u8::from(check_length > 0)]
        && magic == *b"YZ";
    if is_right {
        Ok(())
    } else {
        Err(invalid("the footer is wrong"))
    }
}

/// The sizes of all blocks and of their data. Stored as a hash, so that any number needs little memory.
#[derive(Default)]
struct Records {
    number: u64,
    hash: Hasher,
}

impl Records {
    fn add(&mut self, unpadded: u64, uncompressed: u64) {
        self.number += 1;
        self.hash.update(&unpadded.to_le_bytes());
        self.hash.update(&uncompressed.to_le_bytes());
    }
}

/// Counts the bytes read since `begin`, and computes their CRC32.
struct Input<R> {
    inner: R,
    count: u64,
    crc: Hasher,
}

impl<R: Read> Input<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            count: 0,
            crc: Hasher::new(),
        }
    }

    fn begin(&mut self) {
        self.count = 0;
        self.crc = Hasher::new();
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn byte(&mut self) -> io::Result<u8> {
        self.array().map(|[byte]| byte)
    }

    /// Reads an integer: section 1.2, 7 bits per byte, the lowest bits first, at most 63 bits.
    fn integer(&mut self) -> io::Result<u64> {
        let mut integer = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            integer |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(integer);
            }
        }
        Err(invalid("a number is too long"))
    }

    /// Reads the padding up to a multiple of four bytes since `begin`.
    fn padding(&mut self) -> io::Result<()> {
        while self.count % 4 != 0 {
            if self.byte()? != 0 {
                return Err(invalid("a padding is not zero"));
            }
        }
        Ok(())
    }

    /// Reads a CRC32 and compares it with that of the bytes since `begin`.
    fn crc(&mut self, what: &str) -> io::Result<()> {
        let crc = self.crc.clone().finalize();
        if self.array()? == crc.to_le_bytes() {
            Ok(())
        } else {
            Err(invalid(&format!("the CRC32 of {what} is wrong")))
        }
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.count += length as u64;
        self.crc.update(&buffer[..length]);
        Ok(length)
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

fn unsupported(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, message)
}
