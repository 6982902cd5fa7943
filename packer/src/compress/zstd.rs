//! zstd, by libzstd's own threads.
//!
//! libzstd cuts the data into jobs whose length depends on the level; at level 19 it is 32 MiB, and
//! a smaller archive is compressed by one thread. The bytes are the same for any number of workers
//! from one on, but not for none, which `zstd` without `-T` has. So there is always one.
//!
//! The kernel allocates as much as the frame's header says the window is (lib/decompress_unzstd.c),
//! at most 128 MiB (`ZSTD_WINDOWSIZE_MAX`). If libzstd knows how much data there will be, the
//! window is no larger than that. So the data is held back until it is complete or more than a
//! window: a small archive does not take 8 MiB of the guest's memory.
//!
//! That is also why 19 is the default. Level 20 makes less than 2 % of difference, and needs four
//! times the window in the guest.

use std::io::{self, Write};
use std::num::NonZero;
use zstd::stream::write;

/// The largest window of a level, in bytes; below 17, it is even smaller. A part of the format:
/// with other sizes, some archives get other bytes.
const fn window(level: i32) -> usize {
    match level {
        ..20 => 8 << 20,
        20 => 32 << 20,
        21 => 64 << 20,
        22.. => 128 << 20,
    }
}

/// libzstd's limit on a 64-bit machine (`ZSTDMT_NBWORKERS_MAX`).
const WORKERS_MAX: usize = 256;

/// Compresses what is written to it.
pub(super) struct ZstdEncoder<W: Write> {
    /// All data, until there is more than a [`window`].
    held: Option<Vec<u8>>,
    held_max: usize,
    inner: write::Encoder<'static, W>,
}

impl<W: Write> ZstdEncoder<W> {
    /// `level` is one of libzstd's.
    pub(super) fn new(level: i32, jobs: NonZero<usize>, out: W) -> io::Result<Self> {
        let mut inner = write::Encoder::new(out, level)?;
        inner.multithread(jobs.get().min(WORKERS_MAX) as u32)?;
        inner.include_checksum(true)?;
        Ok(Self {
            held: Some(Vec::new()),
            held_max: window(level),
            inner,
        })
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        if let Some(held) = self.held.take() {
            self.inner.set_pledged_src_size(Some(held.len() as u64))?;
            self.inner.write_all(&held)?;
        }
        self.inner.finish()
    }
}

impl<W: Write> Write for ZstdEncoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(held) = &mut self.held {
            if held.len() + bytes.len() <= self.held_max {
                held.extend_from_slice(bytes);
                return Ok(bytes.len());
            }
            let held = self.held.take().unwrap_or_default();
            self.inner.write_all(&held)?;
        }
        self.inner.write(bytes)
    }

    /// libzstd's own would end a block here.
    fn flush(&mut self) -> io::Result<()> {
        self.inner.get_mut().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compress(level: i32, data: &[u8]) -> Vec<u8> {
        let mut encoder = ZstdEncoder::new(level, NonZero::new(2).unwrap(), Vec::new()).unwrap();
        for part in data.chunks(100_000) {
            encoder.write_all(part).unwrap();
        }
        encoder.finish().unwrap()
    }

    /// What a decoder has to allocate, by RFC 8878, section 3.1.1.1.
    fn window_of(frame: &[u8]) -> u64 {
        assert_eq!(frame[..4], [0x28, 0xb5, 0x2f, 0xfd]);
        let (descriptor, rest) = frame[4..].split_first().unwrap();
        assert_eq!(descriptor & 0b111, 0b100, "a checksum, and no dictionary");
        if descriptor & 0b10_0000 == 0 {
            let (exponent, mantissa) = (rest[0] >> 3, u64::from(rest[0] & 0b111));
            let base = 1 << (10 + exponent);
            return base + base / 8 * mantissa;
        }
        let size = |length: usize| {
            let mut bytes = [0; 8];
            bytes[..length].copy_from_slice(&rest[..length]);
            u64::from_le_bytes(bytes)
        };
        match descriptor >> 6 {
            0 => size(1),
            1 => size(2) + 256,
            2 => size(4),
            _ => size(8),
        }
    }

    #[test]
    fn the_window_is_no_larger_than_the_data() {
        for length in [0, 1, 255, 256, 100_000, 3_000_000, window(1)] {
            for level in [1, 19] {
                let window = window_of(&compress(level, &vec![0; length]));
                assert!(
                    window <= length as u64,
                    "{length} bytes, level {level}: {window}"
                );
            }
        }
    }

    #[test]
    fn the_window_is_one_that_the_kernel_allows() {
        for level in 1..=20 {
            let max = window(level);
            let bytes = compress(level, &vec![0; max + 1]);
            assert!(window_of(&bytes) <= max as u64, "level {level}");
            let unpacked = ::zstd::decode_all(&bytes[..]).unwrap();
            assert_eq!(unpacked.len(), max + 1);
        }
        // Of 21 and 22, this would take long. 128 MiB are all right.
        assert!((21..=22).all(|level| window(level) <= 128 << 20));
    }
}
