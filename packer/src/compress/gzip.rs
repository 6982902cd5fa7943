//! Writes gzip: one member, whose chunks libdeflate compresses in parallel.
//!
//! libdeflate is several times faster than zlib and compresses better, but it compresses only whole
//! buffers. So we divide the data into chunks, compress each to a separate deflate stream (RFC 1951), and
//! join the streams. In a deflate stream, blocks can begin at any bit, and the first bit of the last block,
//! BFINAL, is set. For all chunks but the last one, we clear this bit and append an empty stored block.
//! Section 3.2.4 aligns the data of a stored block to a byte, so the next stream can follow. zlib's
//! `Z_SYNC_FLUSH` writes the same empty block, and every decoder accepts it.
//!
//! The last block can begin anywhere, so we must decode the stream to find its BFINAL. At the same time we
//! check that it decodes to the chunk. This matters because the kernel's `lib/decompress_inflate.c` ignores
//! the CRC, so the guest would not detect corrupt data.
//!
//! Why not a gzip member for each chunk? RFC 1952 allows several members, and the kernel unpacks them. But
//! `unpack_to_rootfs` (init/initramfs.c) requires that an archive ends where a member ends, and otherwise
//! fails with "junk at the end of compressed archive".
//!
//! Why not zlib with a flush after each chunk, as in pigz? For an archive of 470,181,888 bytes:
//!
//! |               | seconds of CPU | bytes       |
//! | ------------- | -------------: | ----------: |
//! | `gzip -9n`    |           60.8 | 161,095,860 |
//! | `pigz -6 -p2` |           17.5 | 161,919,107 |
//! | this, gzip:7  |            8.7 | 159,919,697 |
//! | this, gzip:9  |           17.5 | 159,477,301 |
//!
//! In pigz, each chunk can refer to the 32 KiB before it. With libdeflate it cannot. With chunks of 1 MiB,
//! this costs less than libdeflate saves.

use super::chunked::ChunkedFormat;
use super::deflate::{DeflatedChunk, Deflater};
use super::threads::CompressChunk;
use flate2::Crc;

/// Do not change this: with another size, the same level gives other bytes.
const CHUNK: usize = 1 << 20;

/// Makes the gzip member.
pub(super) struct Gzip {
    level: i32,
    chunk_size: usize,
    crc: Crc,
}

impl Gzip {
    /// `level` is one of libdeflate's.
    pub(super) fn new(level: i32) -> Self {
        Self {
            level,
            chunk_size: CHUNK,
            crc: Crc::new(),
        }
    }
}

impl ChunkedFormat for Gzip {
    type Piece = DeflatedChunk;

    fn chunk_size(&self) -> usize {
        self.chunk_size
    }

    fn compressor(&self) -> CompressChunk<DeflatedChunk> {
        let mut deflater = Deflater::new(self.level);
        Box::new(move |chunk| deflater.piece(chunk))
    }

    /// RFC 1952, section 2.3.1.
    fn header(&mut self) -> Vec<u8> {
        let extra_flags = match self.level {
            ..2 => 4,  // the fastest algorithm
            2..8 => 0, // unspecified
            8.. => 2,  // maximum compression
        };
        let deflate = 8;
        let unknown_system = 255;
        vec![
            0x1f,
            0x8b,
            deflate, // no name and no comment:
            0,       // no time:
            0,
            0,
            0,
            0, // the same on every system:
            extra_flags,
            unknown_system,
        ]
    }

    fn piece(&mut self, piece: DeflatedChunk) -> Vec<u8> {
        self.crc.combine(&piece.crc);
        piece.deflate
    }

    /// RFC 1952, section 2.3.1: CRC32, and ISIZE modulo 2^32.
    fn trailer(&mut self) -> Vec<u8> {
        [self.crc.sum(), self.crc.amount()]
            .map(u32::to_le_bytes)
            .concat()
    }
}

#[cfg(test)]
mod tests {
    use super::super::chunked::Chunked;
    use super::*;
    use libdeflater::CompressionLvl;
    use std::io::{Read, Write};
    use std::num::NonZero;

    /// Text, for blocks with Huffman codes, with noise in between, for stored ones.
    fn data(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        };
        let mut data = Vec::new();
        while data.len() < length {
            match random() % 8 {
                0 => data.extend((0..random() % 700).map(|_| random() as u8)),
                1 => data.resize(data.len() + random() as usize % 900, 0),
                _ => data.extend(
                    (0..random() % 500).map(|_| b"etaoin shrdlu\n"[(random() % 14) as usize]),
                ),
            }
        }
        data.truncate(length);
        data
    }

    fn compress(level: i32, chunk_size: usize, data: &[u8]) -> Vec<u8> {
        let format = Gzip {
            chunk_size,
            ..Gzip::new(level)
        };
        let mut encoder = Chunked::new(format, NonZero::new(2).unwrap(), Vec::new());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    /// Decodes exactly one member, and checks its trailer.
    fn decompress(bytes: &[u8]) -> Vec<u8> {
        let mut decoder = flate2::bufread::GzDecoder::new(bytes);
        let mut data = Vec::new();
        decoder.read_to_end(&mut data).unwrap();
        assert!(decoder.into_inner().is_empty());
        data
    }

    #[test]
    fn chunks_make_one_member() {
        for level in [1, 6, 9, 12] {
            // Blocks end in any of the eight bits of a byte.
            for (chunk_size, length) in [(1, 300), (7, 1000), (100, 20_000), (5000, 60_000)] {
                let data = data(length);
                let bytes = compress(level, chunk_size, &data);
                assert_eq!(
                    decompress(&bytes),
                    data,
                    "level {level}, chunks of {chunk_size}"
                );
            }
        }
    }

    #[test]
    fn a_single_chunk_is_as_libdeflate_makes_it() {
        for length in [0, 1, 1000, 300_000] {
            let data = data(length);
            for level in [1, 6, 12] {
                let mut compressor =
                    libdeflater::Compressor::new(CompressionLvl::new(level).unwrap());
                let mut bytes = vec![0; compressor.gzip_compress_bound(length)];
                let length = compressor.gzip_compress(&data, &mut bytes).unwrap();
                bytes.truncate(length);
                // Its headers, XFL included, are the same.
                assert_eq!(compress(level, 1 << 20, &data), bytes, "{length} {level}");
            }
        }
    }

    #[test]
    fn a_header_says_nothing_about_where_and_when() {
        for (level, extra_flags) in [(1, 4), (2, 0), (7, 0), (8, 2), (12, 2)] {
            let bytes = compress(level, CHUNK, b"data");
            assert_eq!(
                bytes[..10],
                [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, extra_flags, 255]
            );
        }
    }
}
