//! Writes zstd with the threads of libzstd.
//!
//! libzstd divides the data into jobs, whose size depends on the level. At level 19 it is 32 MiB, so one
//! thread compresses a smaller archive. The output is the same for any number of workers except 0, which is
//! the default of the `zstd` program. So we always use at least one.
//!
//! To unpack a frame, the kernel allocates the window size in the frame's header (lib/decompress_unzstd.c),
//! which may be up to 128 MiB (`ZSTD_WINDOWSIZE_MAX`). If libzstd knows the amount of data in advance, it
//! makes the window no larger than that. So we hold the data back until it is complete or exceeds the window
//! of the level. Then a small archive does not take 8 MiB of the guest's memory.
//!
//! For the same reason, the default is level 19. Level 20 saves less than 2 % and needs a window of four
//! times the size.

use std::io::{self, Write};
use std::num::NonZero;
use zstd::stream::write;

/// An upper bound for the window of a level, in bytes. Below level 17, the window is smaller. Do not change
/// this: with other sizes, some archives get other bytes.
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

/// Compresses the data written to it.
pub(super) struct ZstdEncoder<W: Write> {
    /// All data so far, until it exceeds the [`window`].
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

    /// Flushes only the inner writer. libzstd's flush would end a block.
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

    /// The window size in the header of a frame: RFC 8878, section 3.1.1.1.
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
        // Compressing at levels 21 and 22 would take too long. The kernel allows 128 MiB.
        assert!((21..=22).all(|level| window(level) <= 128 << 20));
    }
}
