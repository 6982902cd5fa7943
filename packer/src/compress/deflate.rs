//! Compresses a chunk to a part of a deflate stream (RFC 1951).
//!
//! The [module `gzip`](super::gzip) explains why.

use super::threads::Chunk;
use flate2::Crc;
use libdeflater::CompressionLvl;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY,
    TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use std::io;
use std::ops::Range;

/// A chunk's part of the deflate stream, and the data for the trailer of the gzip member.
pub(super) struct DeflatedChunk {
    pub(super) deflate: Vec<u8>,
    pub(super) crc: Crc,
}

/// The compressor of a thread, with buffers that it uses for each chunk.
pub(super) struct Deflater {
    compressor: libdeflater::Compressor,
    inflater: Box<DecompressorOxide>,
    /// A buffer for a compressed chunk of any length.
    deflated: Vec<u8>,
    /// A buffer for the chunk that this decodes to.
    inflated: Vec<u8>,
}

impl Deflater {
    pub(super) fn new(level: i32) -> Self {
        let level = CompressionLvl::new(level).expect("`Compression::encoder` checks levels");
        Self {
            compressor: libdeflater::Compressor::new(level),
            inflater: Box::default(),
            deflated: Vec::new(),
            inflated: Vec::new(),
        }
    }

    pub(super) fn piece(&mut self, chunk: &Chunk) -> io::Result<DeflatedChunk> {
        let data = &chunk.data[..];
        let bound = self.compressor.deflate_compress_bound(data.len());
        self.deflated.resize(bound, 0);
        let length = self
            .compressor
            .deflate_compress(data, &mut self.deflated)
            .map_err(|error| wrong(&error.to_string()))?;
        let mut deflate = self.deflated[..length].to_vec();

        let last = self.clear_final_bit(&mut deflate, data)?;
        if chunk.is_last {
            deflate[last.start / 8] |= 1 << (last.start % 8);
        } else {
            end_at_byte(&mut deflate, last.end);
        }

        let mut crc = Crc::new();
        crc.update(data);
        Ok(DeflatedChunk { deflate, crc })
    }

    /// Decodes a stream, checks that the result is `data`, and clears BFINAL. Returns the range of the last
    /// block, from its header to its end-of-block code, in bits.
    fn clear_final_bit(&mut self, deflate: &mut [u8], data: &[u8]) -> io::Result<Range<usize>> {
        self.inflater.init();
        self.inflated.clear();
        self.inflated.resize(data.len(), 0);
        let (mut read, mut written) = (0, 0);
        let mut block = 0..0;
        loop {
            let is_final = deflate
                .get(block.start / 8)
                .is_some_and(|byte| (byte >> (block.start % 8)) & 1 == 1);
            if is_final {
                // Clear BFINAL before decoding the block: the decoder reports the bit at which a block ends
                // only if another block follows. The decoder already holds the rest of the byte in which
                // this block begins, so clear the bit there, too.
                deflate[block.start / 8] &= !(1 << (block.start % 8));
                if block.start % 8 != 0 {
                    let mut state = self.inflater.block_boundary_state().ok_or_else(lost)?;
                    state.bit_buf &= !1;
                    *self.inflater = DecompressorOxide::from_block_boundary_state(&state);
                }
            }
            let (status, consumed, produced) = decompress(
                &mut self.inflater,
                &deflate[read..],
                &mut self.inflated,
                written,
                TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF
                    | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY
                    | TINFL_FLAG_HAS_MORE_INPUT,
            );
            read += consumed;
            written += produced;
            if status != TINFLStatus::BlockBoundary {
                return Err(wrong(&format!("{status:?} at byte {read}")));
            }
            let state = self.inflater.block_boundary_state().ok_or_else(lost)?;
            block.end = read * 8 - usize::from(state.num_bits);
            if is_final {
                break;
            }
            block.start = block.end;
        }
        if block.end.div_ceil(8) != deflate.len() {
            return Err(wrong("bytes follow the last block"));
        }
        if written != data.len() || self.inflated != data {
            return Err(wrong("it decodes to other data"));
        }
        Ok(block)
    }
}

/// Appends an empty stored block (RFC 1951, section 3.2.4) to blocks that end before bit `end`.
fn end_at_byte(deflate: &mut Vec<u8>, end: usize) {
    // BFINAL, BTYPE (3 bits in all) and the padding to a byte are 0.
    if end % 8 != 0 {
        deflate[end / 8] &= (1 << (end % 8)) - 1;
    }
    deflate.resize((end + 3).div_ceil(8), 0);
    // LEN and its complement.
    deflate.extend([0x00, 0x00, 0xff, 0xff]);
}

fn lost() -> io::Error {
    wrong("the decoder is not between two blocks")
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!(
            "a chunk was compressed incorrectly, so no image was made: {what}; check this machine's memory"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_that_was_not_compressed_right_is_an_error() {
        let text = |i: u32| (i.wrapping_mul(i) >> 7).to_string().into_bytes();
        let data: Vec<u8> = (0..20_000).flat_map(text).collect();
        let mut deflater = Deflater::new(6);
        let length = deflater.compressor.deflate_compress_bound(data.len());
        let mut right = vec![0; length];
        let length = deflater
            .compressor
            .deflate_compress(&data, &mut right)
            .unwrap();
        right.truncate(length);
        let mut check = |mut deflate: Vec<u8>, data: &[u8]| {
            let last = deflater.clear_final_bit(&mut deflate, data)?;
            Ok::<_, io::Error>((last, deflate))
        };

        let (last, cleared) = check(right.clone(), &data).unwrap();
        assert_eq!(
            right[last.start / 8] ^ cleared[last.start / 8],
            1 << (last.start % 8)
        );
        assert_eq!(last.end.div_ceil(8), right.len());

        for at in (0..right.len()).step_by(97).chain([right.len() - 1]) {
            let mut wrong = right.clone();
            wrong[at] ^= 0x10;
            if at + 1 == right.len() && last.end % 8 <= 4 && last.end % 8 != 0 {
                continue; // Only the padding differs.
            }
            assert!(check(wrong, &data).is_err(), "byte {at}");
        }
        for length in (0..right.len()).step_by(97).chain([right.len() - 1]) {
            assert!(
                check(right[..length].to_vec(), &data).is_err(),
                "{length} bytes"
            );
        }
        assert!(check([&right[..], &[0]].concat(), &data).is_err());
        assert!(check(right.clone(), &data[1..]).is_err());
        assert!(check(right.clone(), &[&data[..], &[0]].concat()).is_err());
        let mut other = data.clone();
        other[50_000] ^= 1;
        assert!(check(right, &other).is_err());
    }
}
