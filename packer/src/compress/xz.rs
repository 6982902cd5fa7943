//! Writes xz with the threads of liblzma, and lzma, the older format, in one thread.
//!
//! The stream of xz suits the kernel's decoder (lib/xz, without options such as `CONFIG_XZ_DEC_X86`): it has CRC32
//! instead of xz's default CRC64, and no BCJ filter.
//!
//! As with `xz -T`, a block is three times the size of the dictionary and has its sizes in its header, so
//! `xz -T` can unpack the blocks in parallel. The output is the same for any number of threads.
//!
//! To unpack, the kernel allocates the dictionary. So we hold the data back until it is complete or exceeds
//! the dictionary of the level, and make the dictionary no larger than the data. Then a small archive does
//! not take 8 MiB of the guest's memory.

use flate2::Crc;
use liblzma::stream::{Action, Check, Filters, LzmaOptions, MtStreamBuilder, Status, Stream};
use std::io::{self, Write};
use std::mem;
use std::num::NonZero;

/// The dictionaries of the presets 0 to 9, as powers of 2: see xz(1).
const DICTIONARY_LOG: [u8; 10] = [18, 20, 21, 22, 22, 23, 23, 24, 25, 26];

/// The smallest dictionary of LZMA2, in bytes.
const DICTIONARY_MIN: usize = 4096;

/// liblzma's limit (`LZMA_THREADS_MAX`).
const THREADS_MAX: usize = 16384;

/// How many bytes to take from liblzma at once.
const STEP: usize = 1 << 18;

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    /// The .xz format, with so many threads.
    Xz(NonZero<usize>),
    /// The .lzma format. It has no checksum.
    Lzma,
}

/// Compresses the data written to it.
pub(super) struct XzEncoder<W> {
    level: u32,
    container: Container,
    /// All data so far, until it exceeds the dictionary of the level.
    held: Vec<u8>,
    /// `None` while the data is held back.
    stream: Option<Stream>,
    packed: Vec<u8>,
    verifier: Verifier,
    /// The CRC32 of all data that has been compressed.
    data: Crc,
    out: W,
}

impl<W: Write> XzEncoder<W> {
    /// `level` is one of xz's presets.
    pub(super) fn new(level: u32, container: Container, out: W) -> io::Result<Self> {
        Ok(Self {
            level,
            container,
            held: Vec::new(),
            stream: None,
            packed: Vec::with_capacity(STEP),
            verifier: Verifier::new(container)?,
            data: Crc::new(),
            out,
        })
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        let held = mem::take(&mut self.held);
        self.compress(&held, Action::Finish)?;
        Ok(self.out)
    }

    fn dictionary(&self) -> usize {
        1 << DICTIONARY_LOG[self.level as usize]
    }

    fn compress(&mut self, mut data: &[u8], action: Action) -> io::Result<()> {
        let is_last = matches!(action, Action::Finish);
        if self.stream.is_none() {
            let dictionary = if is_last {
                data.len()
            } else {
                self.dictionary()
            };
            self.stream = Some(stream(self.level, self.container, dictionary)?);
        }
        let Some(stream) = &mut self.stream else {
            unreachable!("it was made above")
        };
        while is_last || !data.is_empty() {
            let taken = stream.total_in();
            self.packed.clear();
            let status = stream.process_vec(data, &mut self.packed, action)?;
            let (compressed, rest) = data.split_at((stream.total_in() - taken) as usize);
            self.data.update(compressed);
            data = rest;
            let is_verified = self.verifier.verify(&self.packed)?;
            self.out.write_all(&self.packed)?;
            if status == Status::StreamEnd {
                let is_same = self.verifier.data.sum() == self.data.sum();
                return if is_verified && is_same {
                    Ok(())
                } else {
                    Err(wrong())
                };
            }
        }
        Ok(())
    }
}

/// Makes the stream. Its dictionary has at least `dictionary` bytes: liblzma rounds up.
fn stream(level: u32, container: Container, dictionary: usize) -> io::Result<Stream> {
    let mut options = LzmaOptions::new_preset(level)?;
    options.dict_size(dictionary.max(DICTIONARY_MIN) as u32);
    let Container::Xz(jobs) = container else {
        return Ok(Stream::new_lzma_encoder(&options)?);
    };
    let mut filters = Filters::new();
    filters.lzma2(&options);
    let stream = MtStreamBuilder::new()
        .threads(jobs.get().min(THREADS_MAX) as u32)
        .filters(filters)
        .check(Check::Crc32)
        .encoder()?;
    Ok(stream)
}

impl<W: Write> Write for XzEncoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stream.is_none() && self.held.len() + bytes.len() <= self.dictionary() {
            self.held.extend_from_slice(bytes);
        } else {
            let held = mem::take(&mut self.held);
            self.compress(&held, Action::Run)?;
            self.compress(bytes, Action::Run)?;
        }
        Ok(bytes.len())
    }

    /// Flushes only the inner writer. liblzma's flush would end a block.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Unpacks the stream to check that it is right: it has the data, and in xz, the CRC32 of each block is that of the
/// data. This takes much less time than compressing it.
struct Verifier {
    stream: Stream,
    unpacked: Vec<u8>,
    /// The CRC32 of all that was unpacked.
    data: Crc,
}

impl Verifier {
    fn new(container: Container) -> io::Result<Self> {
        Ok(Self {
            stream: match container {
                Container::Xz(_) => Stream::new_stream_decoder(u64::MAX, 0)?,
                Container::Lzma => Stream::new_lzma_decoder(u64::MAX)?,
            },
            unpacked: Vec::with_capacity(STEP),
            data: Crc::new(),
        })
    }

    /// Unpacks the next part of the stream. Returns whether the stream is complete.
    fn verify(&mut self, mut packed: &[u8]) -> io::Result<bool> {
        loop {
            let taken = self.stream.total_in();
            self.unpacked.clear();
            let status = self
                .stream
                .process_vec(packed, &mut self.unpacked, Action::Run)
                .map_err(|_| wrong())?;
            self.data.update(&self.unpacked);
            packed = &packed[(self.stream.total_in() - taken) as usize..];
            let is_full = self.unpacked.len() == self.unpacked.capacity();
            match (status, packed) {
                (Status::StreamEnd, []) => return Ok(true),
                (Status::StreamEnd, _) => return Err(wrong()),
                (_, []) if !is_full => return Ok(false),
                _ => {}
            }
        }
    }
}

fn wrong() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "a block was compressed incorrectly, so no image was made; check this machine's memory",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const XZ: Container = Container::Xz(NonZero::new(2).unwrap());

    fn compress(level: u32, data: &[u8]) -> Vec<u8> {
        let mut encoder = XzEncoder::new(level, XZ, Vec::new()).unwrap();
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn no_data_is_no_block() {
        // The output of `xz --check=crc32` for an empty file.
        let header = b"\xfd7zXZ\0\0\x01\x69\x22\xde\x36";
        let index = b"\0\0\0\0\x1c\xdf\x44\x21";
        let footer = b"\x90\x42\x99\x0d\x01\0\0\0\0\x01YZ";
        assert_eq!(compress(1, b""), [&header[..], index, footer].concat());
    }

    #[test]
    fn a_dictionary_is_no_larger_than_needed() {
        for (level, length, size) in [
            (1, 1, 4096),
            (1, 4096, 4096),
            (1, 4097, 6144),
            (1, 6145, 8192),
            (1, 1 << 20, 1 << 20),
            (1, (1 << 20) + 1, 1 << 20),
            (6, 8 << 20, 8 << 20),
            (6, (8 << 20) + 1, 8 << 20),
        ] {
            let bytes = compress(level, &vec![0; length]);
            // The header of the stream, the size of the block's header, and its flags.
            let (header, sizes) = bytes.split_at(12 + 2);
            assert_eq!(header[13], 0xc0, "both sizes, and no filter but one");
            // Each size ends with the first byte without the highest bit.
            let mut ends = (0..sizes.len()).filter(|&at| sizes[at] & 0x80 == 0);
            let filter = ends.nth(1).unwrap() + 1;
            // Sections 3.1.5 and 5.3.1 of "The .xz File Format": LZMA2, and its one byte of properties.
            let [0x21, 1, code] = sizes[filter..][..3] else {
                panic!("{length}: {bytes:?}");
            };
            let dictionary = (2 | (usize::from(code) & 1)) << (code / 2 + 11);
            assert_eq!(dictionary, size, "level {level}, {length} bytes");
        }
    }

    #[test]
    fn the_dictionaries_are_those_of_the_presets() {
        for (level, log) in (0..).zip(DICTIONARY_LOG) {
            let mut filters = Filters::new();
            filters.lzma2(&LzmaOptions::new_preset(level).unwrap());
            let block_size = (3 << log).max(1 << 20);
            assert_eq!(filters.mt_block_size(), block_size, "level {level}");
        }
    }

    #[test]
    fn a_stream_that_was_not_compressed_right_is_an_error() {
        let data: Vec<u8> = (0_u32..40_000)
            .flat_map(|i| i.wrapping_pow(2).to_le_bytes())
            .collect();
        let right = compress(0, &data);
        // Divided at any place, it is complete only at its end.
        let verify = |bytes: &[u8], at: usize| {
            let mut verifier = Verifier::new(XZ).unwrap();
            let (first, second) = bytes.split_at(at);
            if verifier.verify(first)? {
                return Ok(false);
            }
            verifier.verify(second)
        };
        for at in (0..right.len()).step_by(4999) {
            assert!(verify(&right, at).unwrap());
            assert!(!verify(&right[..right.len() - 1], at).unwrap());
            assert!(verify(&[&right[..], &[0]].concat(), at).is_err());
            let mut wrong = right.clone();
            wrong[at] ^= 0x10;
            assert!(
                !verify(&wrong, at).is_ok_and(|is_complete| is_complete),
                "byte {at}"
            );
        }
    }
}
