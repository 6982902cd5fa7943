//! xz, as one stream whose blocks are compressed in parallel by lzma-rust2's LZMA2.
//!
//! What is written is what the kernel's decoder takes (lib/xz, without `CONFIG_XZ_DEC_X86` and its
//! siblings): CRC32 and not xz's default CRC64, and LZMA2 without a BCJ filter. Sections are those
//! of "The .xz File ChunkedFormat", version 1.2.
//!
//! A block is three times as long as the dictionary, as with `xz -T`, and has its sizes in its
//! header, so `xz -T` can also unpack it in parallel. The kernel allocates the dictionary to
//! unpack, so it is no larger than the block: a small archive does not take 8 MiB of the guest's
//! memory.
//!
//! lzma-rust2 has a multi-threaded writer of its own. Its threads are not joined when it is
//! dropped, and its queue grows as fast as data comes.

use super::chunked::ChunkedFormat;
use super::threads::{Chunk, CompressChunk};
use lzma_rust2::{DICT_SIZE_MIN, Lzma2Options, Lzma2Reader, Lzma2Writer};
use std::io::{self, Read, Write};

/// How much is done before looking whether it is still wanted.
const STEP: usize = 1 << 18;

/// Section 2.1.1.2: CRC32.
const STREAM_FLAGS: [u8; 2] = [0, 1];

/// Makes the stream.
pub(super) struct Xz {
    level: u32,
    chunk_size: usize,
    /// Of each block, its length without padding and that of its data, for the index.
    records: Vec<(u64, u64)>,
}

/// A block, or nothing if there was no data.
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

/// A block: section 3.
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
    verify(&compressed, dictionary, data)?;

    // Section 3.1: both sizes are there, and there is one filter.
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

/// The smallest dictionary that LZMA2 has a code for (section 5.3.1) and that holds `needed` bytes.
fn dictionary(needed: u32) -> (u32, u8) {
    let size = |code: u8| (2 | u32::from(code & 1)) << (code / 2 + 11);
    debug_assert_eq!(size(0), DICT_SIZE_MIN);
    // 40 stands for 4 GiB; no preset comes near.
    let code = (0..39).find(|&code| size(code) >= needed).unwrap_or(39);
    (size(code), code)
}

/// Unpacking takes a fraction of the time, and an image that the guest cannot unpack is none.
fn verify(compressed: &[u8], dictionary: u32, data: &[u8]) -> io::Result<()> {
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
        "a block was not compressed right, so there is no image; is this machine's memory in order?",
    ))
}

/// Section 1.2: 7 bits per byte, the lowest ones first.
fn push_integer(bytes: &mut Vec<u8>, mut integer: u64) {
    while integer >= 0x80 {
        bytes.push(integer as u8 | 0x80);
        integer >>= 7;
    }
    bytes.push(integer as u8);
}

/// To a multiple of four bytes, which everything before was, too.
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
            // Whose parser of everything but LZMA2 is none of ours.
            let mut reader = lzma_rust2::XzReader::new(&bytes[..], false);
            let mut unpacked = Vec::new();
            reader.read_to_end(&mut unpacked).unwrap();
            assert!(reader.into_inner().is_empty());
            assert_eq!(unpacked, data, "chunks of {chunk_size}");
        }
    }

    #[test]
    fn no_data_is_no_block() {
        // What `xz --check=crc32` makes of nothing.
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
        // After stream header, sizes of header and blocks, filter and length.
        assert_eq!(compress(1 << 20, &[0; 1000])[12 + 7], 0);
    }

    #[test]
    fn a_block_that_was_not_compressed_right_is_an_error() {
        let data = &b"data ".repeat(100_000)[..];
        let mut writer = Lzma2Writer::new(Vec::new(), options(1));
        writer.write_all(data).unwrap();
        let right = writer.finish().unwrap();
        let check = |bytes: &[u8], data: &[u8]| verify(bytes, 1 << 20, data);
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
