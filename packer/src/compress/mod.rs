//! Compresses archives.
//!
//! The compressed bytes depend only on the [`Compression`], on the data and on the versions of the
//! compressors in `Cargo.lock`. They depend neither on the number of threads nor on how the data is divided
//! into calls of `write`. A test, `tests/compression.rs`, has their hashes.

mod bzip2;
mod chunked;
mod deflate;
mod gzip;
mod threads;
mod xz;
mod zstd;

use chunked::Chunked;
use std::io::{self, Write};
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::{fmt, str::FromStr};
use xz::Container;

/// A format that the kernel unpacks, and the level of the compression.
///
/// As text, it is `none`, `gzip`, `zstd`, `xz`, `bzip2` or `lzma`, followed by `:LEVEL` except for `none`. The kernel
/// needs an option such as `CONFIG_RD_GZIP` to unpack it: [`Format::kernel_option`](crate::decompress::Format::kernel_option).
///
/// ```
/// use packer::Compression;
///
/// let compression: Compression = "zstd:19".parse()?;
/// assert_eq!(compression, Compression::Zstd { level: 19 });
/// assert_eq!(Compression::default().to_string(), "gzip:7");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// The uncompressed archive.
    None,
    /// One member of RFC 1952, without a file name or a time in its header.
    Gzip {
        /// 1, fastest, to 12, smallest: the levels of libdeflate. Default: 7.
        level: u32,
    },
    /// One frame of RFC 8878, with a checksum.
    Zstd {
        /// 1, fastest, to 22, smallest: the levels of zstd. Default: 19, the highest level for which the
        /// kernel needs only a few megabytes to unpack: see `compress/zstd.rs`.
        level: i32,
    },
    /// One stream of the .xz format, version 1.2, as the kernel accepts it: only LZMA2, with CRC32.
    Xz {
        /// 0, fastest, to 9, smallest: the presets of xz. Default: 6.
        level: u32,
    },
    /// One stream of bzip2. One thread compresses it.
    Bzip2 {
        /// 1 to 9, smallest: the size of a block in 100 kB. Default: 9.
        level: u32,
    },
    /// One stream of the .lzma format, the predecessor of .xz. It has no checksum. One thread compresses it.
    Lzma {
        /// 0, fastest, to 9, smallest: the presets of xz. Default: 6.
        level: u32,
    },
}

const GZIP: RangeInclusive<u32> = 1..=12;
/// The highest level that is not slower than `pigz -6` for any of the trees in docs/packer.md.
const GZIP_DEFAULT: u32 = 7;
const ZSTD: RangeInclusive<u32> = 1..=22;
const XZ: RangeInclusive<u32> = 0..=9;
const BZIP2: RangeInclusive<u32> = 1..=9;

impl Default for Compression {
    fn default() -> Self {
        Self::Gzip {
            level: GZIP_DEFAULT,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Gzip { level } => write!(f, "gzip:{level}"),
            Self::Zstd { level } => write!(f, "zstd:{level}"),
            Self::Xz { level } => write!(f, "xz:{level}"),
            Self::Bzip2 { level } => write!(f, "bzip2:{level}"),
            Self::Lzma { level } => write!(f, "lzma:{level}"),
        }
    }
}

impl FromStr for Compression {
    /// A message with the wrong text and the valid ones.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, level) = match text.split_once(':') {
            Some((name, level)) => (name, Some(level)),
            None => (text, None),
        };
        let level = |default: u32, levels: RangeInclusive<u32>| match level {
            None => Ok(default),
            Some(text) => parse_level(text)
                .filter(|level| levels.contains(level))
                .ok_or_else(|| {
                    let (first, last) = (levels.start(), levels.end());
                    format!("the level of {name} is a number from {first} to {last}, not {text:?}")
                }),
        };
        match name {
            "none" if text == "none" => Ok(Self::None),
            "none" => Err("none has no level".to_owned()),
            "gzip" => level(GZIP_DEFAULT, GZIP).map(|level| Self::Gzip { level }),
            "zstd" => level(19, ZSTD).map(|level| Self::Zstd {
                level: level as i32,
            }),
            "xz" => level(6, XZ).map(|level| Self::Xz { level }),
            "bzip2" => level(9, BZIP2).map(|level| Self::Bzip2 { level }),
            "lzma" => level(6, XZ).map(|level| Self::Lzma { level }),
            "lz4" | "lzo" => Err(format!(
                "packer reads {name}, but does not write it; write none, and compress the image with {}",
                match name {
                    "lz4" => "`lz4 -l`",
                    _ => "`lzop`",
                }
            )),
            _ => Err(format!(
                "expected none, or gzip, zstd, xz, bzip2 or lzma, and perhaps :LEVEL, not {text:?}"
            )),
        }
    }
}

/// Parses a level. Accepts only the printed form, and not `+9` or `09`, which `u32::from_str` accepts.
fn parse_level(text: &str) -> Option<u32> {
    let level: u32 = text.parse().ok()?;
    (level.to_string() == text).then_some(level)
}

impl Compression {
    /// A writer that compresses into `out`, with `jobs` threads in addition to the calling one. The output
    /// is complete after [`finish`](Encoder::finish).
    ///
    /// Threads start when there is work for them. The memory does not depend on the amount of data: each
    /// job takes some 8 MiB for gzip:7, 120 MiB for zstd:19 and 200 MiB for xz:6.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for a level outside its documented range, which
    /// [`FromStr`] never returns; and the error of libzstd or liblzma if there is not enough memory.
    pub fn encoder<W: Write>(self, jobs: NonZero<usize>, out: W) -> io::Result<Encoder<W>> {
        let in_range = match self {
            Self::None => true,
            Self::Gzip { level } => GZIP.contains(&level),
            Self::Zstd { level } => u32::try_from(level).is_ok_and(|level| ZSTD.contains(&level)),
            Self::Xz { level } | Self::Lzma { level } => XZ.contains(&level),
            Self::Bzip2 { level } => BZIP2.contains(&level),
        };
        if !in_range {
            let message = format!("{self}: there is no such level");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let inner = match self {
            Self::None => AnyEncoder::None(out),
            Self::Gzip { level } => {
                AnyEncoder::Gzip(Chunked::new(gzip::Gzip::new(level as i32), jobs, out))
            }
            Self::Zstd { level } => AnyEncoder::Zstd(zstd::ZstdEncoder::new(level, jobs, out)?),
            Self::Xz { level } => xz(level, Container::Xz(jobs), out)?,
            Self::Lzma { level } => xz(level, Container::Lzma, out)?,
            Self::Bzip2 { level } => AnyEncoder::Bzip2(bzip2::Bzip2Encoder::new(level, out)),
        };
        Ok(Encoder {
            inner,
            is_broken: false,
        })
    }
}

fn xz<W: Write>(level: u32, container: Container, out: W) -> io::Result<AnyEncoder<W>> {
    let encoder = xz::XzEncoder::new(level, container, out)?;
    Ok(AnyEncoder::Xz(Box::new(encoder)))
}

/// Compresses the data written to it: see [`Compression::encoder`].
///
/// Only the thread that writes to the encoder uses the inner writer. [`write`](Write::write) and
/// [`finish`](Self::finish) return the errors of the inner writer. After an error, or if the encoder is
/// dropped before `finish`, the output is incomplete. Dropping waits for the threads to abandon their
/// work.
pub struct Encoder<W: Write> {
    inner: AnyEncoder<W>,
    /// Whether a call has failed. A part of the output may be missing then, so it must not be possible to
    /// finish it.
    is_broken: bool,
}

enum AnyEncoder<W: Write> {
    None(W),
    Gzip(Chunked<gzip::Gzip, W>),
    Zstd(zstd::ZstdEncoder<W>),
    /// Of lzma, too.
    Xz(Box<xz::XzEncoder<W>>),
    Bzip2(bzip2::Bzip2Encoder<W>),
}

impl<W: Write> Encoder<W> {
    /// Writes the remaining data and returns the inner writer, which is not flushed.
    ///
    /// # Errors
    ///
    /// Those of the inner writer, of starting a thread, and of the compressor. gzip and xz unpack what
    /// they have compressed and fail if it differs, which only faulty memory or a bug can cause.
    pub fn finish(self) -> io::Result<W> {
        self.unless_broken()?;
        match self.inner {
            AnyEncoder::None(out) => Ok(out),
            AnyEncoder::Gzip(encoder) => encoder.finish(),
            AnyEncoder::Zstd(encoder) => encoder.finish(),
            AnyEncoder::Xz(encoder) => encoder.finish(),
            AnyEncoder::Bzip2(encoder) => encoder.finish(),
        }
    }

    fn unless_broken(&self) -> io::Result<()> {
        match self.is_broken {
            true => Err(io::Error::other("compression had already failed")),
            false => Ok(()),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_broken()?;
        let result = match &mut self.inner {
            AnyEncoder::None(out) => out.write(bytes),
            AnyEncoder::Gzip(encoder) => encoder.write(bytes),
            AnyEncoder::Zstd(encoder) => encoder.write(bytes),
            AnyEncoder::Xz(encoder) => encoder.write(bytes),
            AnyEncoder::Bzip2(encoder) => encoder.write(bytes),
        };
        let is_fatal = |error: &io::Error| error.kind() != io::ErrorKind::Interrupted;
        self.is_broken = result.as_ref().err().is_some_and(is_fatal);
        result
    }

    /// Flushes the inner writer, but not the data of an incomplete chunk. If it ended the chunk, the output
    /// would depend on the calls of `flush`.
    fn flush(&mut self) -> io::Result<()> {
        match &mut self.inner {
            AnyEncoder::None(out) => out.flush(),
            AnyEncoder::Gzip(encoder) => encoder.flush(),
            AnyEncoder::Zstd(encoder) => encoder.flush(),
            AnyEncoder::Xz(encoder) => encoder.flush(),
            AnyEncoder::Bzip2(encoder) => encoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests;
