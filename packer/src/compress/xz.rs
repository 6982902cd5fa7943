//! Writes xz: one stream, whose blocks lzma-rust2 compresses in parallel with LZMA2.
//!
//! The stream suits the kernel's decoder (lib/xz, without options such as `CONFIG_XZ_DEC_X86`): it has CRC32
//! instead of xz's default CRC64, and no BCJ filter. Section numbers refer to "The .xz File Format",
//! version 1.2.
//!
//! As with `xz -T`, a block is three times the size of the dictionary and has its sizes in its header, so
//! `xz -T` can unpack the blocks in parallel. To unpack, the kernel allocates the dictionary. The dictionary
//! is no larger than the block, so a small archive does not take 8 MiB of the guest's memory.
//!
//! We do not use the multi-threaded writer of lzma-rust2: it does not join its threads when it is dropped,
//! and its queue has no limit.

use super::chunked::ChunkedFormat;
use super::threads::{Chunk, CompressChunk};
use lzma_rust2::{DICT_SIZE_MIN, Lzma2Options, Lzma2Reader, Lzma2Writer};
use std::io::{self, Read, Write};

/// How many bytes to compress between two checks of [`Chunk::is_wanted`].
const STEP: usize = 1 << 18;

/// Section 2.1.1.2: CRC32.
const STREAM_FLAGS: [u8; 2] = [0, 1];

/// Makes the .xz stream.
pub(super) struct Xz {
    level: u32,
    chunk_size: usize,
    /// For the index: the size of each block without padding, and the size of its data.
    records: Vec<(u64, u64)>,
}

/// A block. Empty if there is no data.
pub(super) struct CompressedBlock {
    bytes: Vec<u8>,
    record: Option<(u64, u64)>,
}

impl Xz {
    /// `level` is one of xz's presets.
    pub(super) fn new(level: u32) -> Self {
        let dictionary = options(level).lzma_options.dict_size;
        Self {
            level,
            chunk_size: (3 * dictionary as usize).max(1 << 20),
            records: Vec::new(),
        }
    }
}

fn options(level: u32) -> Lzma2Options {
    Lzma2Options::with_preset(level)
}

impl ChunkedFormat for Xz {
    type Piece = CompressedBlock;

    fn chunk_size(&self) -> usize {
        self.chunk_size
    }

    fn compressor(&self) -> CompressChunk<CompressedBlock> {
        let level = self.level;
        Box::new(move |chunk| block(level, chunk))
    }

    /// Section 2.1.1.
    fn header(&mut self) -> Vec<u8> {
        let mut header = b"\xfd7zXZ\0".to_vec();
        header.extend(STREAM_FLAGS);
        header.extend(crc32fast::hash(&STREAM_FLAGS).to_le_bytes());
        header
    }

    fn piece(&mut self, piece: CompressedBlock) -> Vec<u8> {
        self.records.extend(piece.record);
        piece.bytes
    }

    /// The index (section 4) and the stream's footer (section 2.1.2).
    fn trailer(&mut self) -> Vec<u8> {
        let mut bytes = vec![0];
        push_integer(&mut bytes, self.records.len() as u64);
        for &(unpadded, data) in &self.records {
            push_integer(&mut bytes, unpadded);
            push_integer(&mut bytes, data);
        }
        pad(&mut bytes);
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());

        let backward_size = (bytes.len() / 4 - 1) as u32;
        let mut footer = backward_size.to_le_bytes().to_vec();
        footer.extend(STREAM_FLAGS);
        bytes.extend(crc32fast::hash(&footer).to_le_bytes());
        bytes.extend(footer);
        bytes.extend(b"YZ");
        bytes
    }
}

/// Makes a block: section 3.
fn block(level: u32, chunk: &Chunk) -> io::Result<CompressedBlock> {
    let data = &chunk.data[..];
    if data.is_empty() {
        return Ok(CompressedBlock {
            bytes: Vec::new(),
            record: None,
        });
    }
    let mut options = options(level);
    let preset = options.lzma_options.dict_size;
    let needed = u32::try_from(data.len()).unwrap_or(u32::MAX).min(preset);
    let (dictionary, dictionary_code) = dictionary(needed);
    options.lzma_options.dict_size = dictionary;

    let mut writer = Lzma2Writer::new(Vec::new(), options);
    for step in data.chunks(STEP) {
        if !chunk.is_wanted() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        writer.write_all(step)?;
    }
    let compressed = writer.finish()?;
    check_block(&compressed, dictionary, data)?;

    // Section 3.1: a header with both sizes and one filter.
    let mut bytes = vec![0, 0xc0];
    push_integer(&mut bytes, compressed.len() as u64);
    push_integer(&mut bytes, data.len() as u64);
    // Section 5.3.1: LZMA2 has one byte of properties.
    bytes.extend([0x21, 1, dictionary_code]);
    pad(&mut bytes);
    bytes[0] = (bytes.len() / 4) as u8;
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());

    let header_length = bytes.len();
    bytes.extend(&compressed);
    pad(&mut bytes);
    let check = crc32fast::hash(data).to_le_bytes();
    bytes.extend(check);
    let unpadded = header_length + compressed.len() + check.len();
    Ok(CompressedBlock {
        bytes,
        record: Some((unpadded as u64, data.len() as u64)),
    })
}

/// Size and code of the smallest dictionary for `needed` bytes (section 5.3.1).
fn dictionary(needed: u32) -> (u32, u8) {
    let size = |code: u8| (2 | u32::from(code & 1)) << (code / 2 + 11);
    debug_assert_eq!(size(0), DICT_SIZE_MIN);
    // Code 40 means 4 GiB, which no preset needs.
    let code = (0..39).find(|&code| size(code) >= needed).unwrap_or(39);
    (size(code), code)
}

/// Unpacks a block to check that it is right. This takes much less time than compressing it.
fn check_block(compressed: &[u8], dictionary: u32, data: &[u8]) -> io::Result<()> {
    let mut reader = Lzma2Reader::new(compressed, dictionary, None);
    let mut unpacked = vec![0; STEP];
    let mut left = data;
    loop {
        let length = reader.read(&mut unpacked)?;
        match left.split_at_checked(length) {
            Some((_, rest)) if length == 0 && rest.is_empty() => return Ok(()),
            Some((part, rest)) if length > 0 && part == &unpacked[..length] => left = rest,
            _ => break,
        }
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "a block was compressed incorrectly, so no image was made; check this machine's memory",
    ))
}

/// Appends an integer: section 1.2, 7 bits per byte, the lowest bits first.
fn push_integer(bytes: &mut Vec<u8>, mut integer: u64) {
    while integer >= 0x80 {
        bytes.push(integer as u8 | 0x80);
        integer >>= 7;
    }
    bytes.push(integer as u8);
}

/// Pads to a multiple of four bytes. What precedes `bytes` in the stream has such a size, too.
fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::super::chunked::Chunked;
    use super::*;
    use std::num::NonZero;

    fn compress(chunk_size: usize, data: &[u8]) -> Vec<u8> {
        let format = Xz {
            chunk_size,
            ..Xz::new(1)
        };
        let mut encoder = Chunked::new(format, NonZero::new(2).unwrap(), Vec::new());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn blocks_make_one_stream() {
        let data: Vec<u8> = (0_u32..60_000)
            .flat_map(|i| (i * i / 7).to_le_bytes())
            .collect();
        for chunk_size in [1000, 4096, 100_000, 1 << 20] {
            let bytes = compress(chunk_size, &data);
            // We use only the LZMA2 part of lzma-rust2, so its parser for .xz is independent.
            let mut reader = lzma_rust2::XzReader::new(&bytes[..], false);
            let mut unpacked = Vec::new();
            reader.read_to_end(&mut unpacked).unwrap();
            assert!(reader.into_inner().is_empty());
            assert_eq!(unpacked, data, "chunks of {chunk_size}");
        }
    }

    #[test]
    fn no_data_is_no_block() {
        // The output of `xz --check=crc32` for an empty file.
        let header = b"\xfd7zXZ\0\0\x01\x69\x22\xde\x36";
        let index = b"\0\0\0\0\x1c\xdf\x44\x21";
        let footer = b"\x90\x42\x99\x0d\x01\0\0\0\0\x01YZ";
        assert_eq!(compress(1000, b""), [&header[..], index, footer].concat());
    }

    #[test]
    fn a_dictionary_is_no_larger_than_needed() {
        for (needed, size) in [
            (1, 4096),
            (4096, 4096),
            (4097, 6144),
            (6145, 8192),
            (8 << 20, 8 << 20),
            (64 << 20, 64 << 20),
        ] {
            let (dictionary, code) = dictionary(needed);
            assert_eq!(dictionary, size);
            // Section 5.3.1.
            assert_eq!(dictionary, (2 | (u32::from(code) & 1)) << (code / 2 + 11));
        }
        // The code follows the stream header, the size of the block header, its flags, both sizes, the
        // filter and the length of its properties.
        assert_eq!(compress(1 << 20, &[0; 1000])[12 + 7], 0);
    }

    #[test]
    fn a_block_that_was_not_compressed_right_is_an_error() {
        let data = &b"data ".repeat(100_000)[..];
        let mut writer = Lzma2Writer::new(Vec::new(), options(1));
        writer.write_all(data).unwrap();
        let right = writer.finish().unwrap();
        let check = |bytes: &[u8], data: &[u8]| check_block(bytes, 1 << 20, data);
        check(&right, data).unwrap();
        check(&right, &data[1..]).unwrap_err();
        check(&right, &data[..data.len() - 1]).unwrap_err();
        check(&right, &[data, b"d"].concat()).unwrap_err();
        check(&right[..right.len() - 1], data).unwrap_err();
        let mut other = data.to_vec();
        other[300_000] ^= 1;
        check(&right, &other).unwrap_err();
        let mut wrong = right;
        wrong[20] ^= 1;
        check(&wrong, data).unwrap_err();
    }
}
