//! Unpacks compressed members of images as the kernel does.
//!
//! ```
//! use packer::decompress::{Decoder, Format, detect};
//! use std::io::Read;
//!
//! // `zstd` of nothing.
//! let bytes = b"\x28\xb5\x2f\xfd\x24\x00\x01\x00\x00\x99\xe9\xd8\x51";
//! assert_eq!(detect(bytes), Some(Format::Zstd));
//! let mut data = Vec::new();
//! Decoder::new(Format::Zstd, &bytes[..])?.read_to_end(&mut data)?;
//! assert_eq!(data, b"");
//! # Ok::<(), std::io::Error>(())
//! ```

mod lz4;
mod lzma;
mod lzo;
mod lzo1x;
mod xz;

use std::fmt;
use std::io::{self, BufRead, Read};

/// A format that the kernel recognises by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 1952.
    Gzip,
    /// The format of bzip2.
    Bzip2,
    /// The .lzma format, the predecessor of .xz.
    Lzma,
    /// The .xz format.
    Xz,
    /// The format of `lzop`.
    Lzo,
    /// The legacy frame of lz4, which `lz4 -l` writes.
    Lz4,
    /// RFC 8878.
    Zstd,
}

/// `compressed_formats` of the kernel's lib/decompress.c.
const MAGIC: [([u8; 2], Format); 8] = [
    ([0x1f, 0x8b], Format::Gzip),
    // gzip 0.5 wrote this. The kernel recognises it and then fails with "Not a gzip file".
    ([0x1f, 0x9e], Format::Gzip),
    ([0x42, 0x5a], Format::Bzip2),
    ([0x5d, 0x00], Format::Lzma),
    ([0xfd, 0x37], Format::Xz),
    ([0x89, 0x4c], Format::Lzo),
    ([0x02, 0x21], Format::Lz4),
    ([0x28, 0xb5], Format::Zstd),
];

/// Recognises a format by the first two bytes of the data.
///
/// As in the kernel, the data may still be damaged or of another kind. [`Decoder`] checks the rest.
pub fn detect(start: &[u8]) -> Option<Format> {
    let (magic, _) = start.split_first_chunk()?;
    MAGIC
        .iter()
        .find(|(known, _)| known == magic)
        .map(|&(_, format)| format)
}

impl Format {
    /// The kernel's option for images of this format, without `CONFIG_`.
    pub fn kernel_option(self) -> &'static str {
        match self {
            Self::Gzip => "RD_GZIP",
            Self::Bzip2 => "RD_BZIP2",
            Self::Lzma => "RD_LZMA",
            Self::Xz => "RD_XZ",
            Self::Lzo => "RD_LZO",
            Self::Lz4 => "RD_LZ4",
            Self::Zstd => "RD_ZSTD",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Lzma => "lzma",
            Self::Xz => "xz",
            Self::Lzo => "lzo",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        })
    }
}

/// Unpacks one member of a file: a gzip member, a zstd frame, an .xz stream, a legacy frame of lz4, and so on.
///
/// An image may have more data after the member. Once [`read`](Read::read) has returned 0,
/// [`into_inner`](Self::into_inner) returns the input at the first byte after the member. For lz4, this is the byte
/// after the four NULs that end it.
///
/// The memory is bounded, whatever the input contains: a window or dictionary of more than 128 MiB is an
/// error. This is the kernel's limit for zstd.
///
/// It accepts two kinds of data that the kernel refuses, and that hardly any program writes: blocks that bzip2 before
/// 0.9.5 (1999) has randomised, and lzma data with both a size in its header and an end mark.
///
/// xz data must be as the kernel accepts it: with CRC32 or no check, and LZMA2 without BCJ filters.
pub struct Decoder<R: BufRead> {
    format: Format,
    inner: AnyDecoder<R>,
    is_broken: bool,
}

enum AnyDecoder<R: BufRead> {
    Gzip(Box<flate2::bufread::GzDecoder<R>>),
    Bzip2(bzip2::bufread::BzDecoder<R>),
    Lzma(Box<lzma::LzmaDecoder<R>>),
    Xz(Box<xz::XzDecoder<R>>),
    Lzo(lzo::LzoDecoder<R>),
    Lz4(lz4::Lz4Decoder<R>),
    Zstd(zstd::stream::read::Decoder<'static, R>),
}

/// The largest window of zstd, as a power of 2: `ZSTD_WINDOWSIZE_MAX` of lib/decompress_unzstd.c.
const WINDOW_LOG_MAX: u32 = 27;

/// The largest dictionary of xz and lzma, in bytes. The kernel has no limit; `xz -9` takes 64 MiB.
const DICTIONARY_MAX: u32 = 1 << WINDOW_LOG_MAX;

impl<R: BufRead> Decoder<R> {
    /// Unpacks `input`, which must be at the first byte of a member.
    ///
    /// # Errors
    ///
    /// If there is not enough memory.
    pub fn new(format: Format, input: R) -> io::Result<Self> {
        let inner = match format {
            Format::Gzip => AnyDecoder::Gzip(Box::new(flate2::bufread::GzDecoder::new(input))),
            Format::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?.single_frame();
                decoder.window_log_max(WINDOW_LOG_MAX)?;
                AnyDecoder::Zstd(decoder)
            }
            Format::Bzip2 => AnyDecoder::Bzip2(bzip2::bufread::BzDecoder::new(input)),
            Format::Lzma => AnyDecoder::Lzma(Box::new(lzma::LzmaDecoder::new(input)?)),
            Format::Xz => AnyDecoder::Xz(Box::new(xz::XzDecoder::new(input)?)),
            Format::Lzo => AnyDecoder::Lzo(lzo::LzoDecoder::new(input)),
            Format::Lz4 => AnyDecoder::Lz4(lz4::Lz4Decoder::new(input)),
        };
        Ok(Self {
            format,
            inner,
            is_broken: false,
        })
    }

    /// Returns the input. Its position is unspecified unless `read` has returned 0.
    pub fn into_inner(self) -> R {
        match self.inner {
            AnyDecoder::Gzip(decoder) => decoder.into_inner(),
            AnyDecoder::Bzip2(decoder) => decoder.into_inner(),
            AnyDecoder::Lzma(decoder) => decoder.into_inner(),
            AnyDecoder::Xz(decoder) => decoder.into_inner(),
            AnyDecoder::Lzo(decoder) => decoder.into_inner(),
            AnyDecoder::Lz4(decoder) => decoder.into_inner(),
            AnyDecoder::Zstd(decoder) => decoder.finish(),
        }
    }

    /// Adds the format to the message of a library, and uses the same kinds of error for all libraries.
    /// Errors of the input stay unchanged.
    fn explain(&self, error: io::Error) -> io::Error {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof, Unsupported};
        let format = self.format;
        match error.kind() {
            _ if error.raw_os_error().is_some() => error,
            UnexpectedEof => io::Error::new(
                UnexpectedEof,
                format!("the {format} data ends too early; was it cut off?"),
            ),
            InvalidData | InvalidInput | Other => io::Error::new(
                InvalidData,
                format!("the {format} data is corrupt: {error}"),
            ),
            Unsupported => io::Error::new(Unsupported, format!("the {format} data {error}")),
            _ => error,
        }
    }
}

impl<R: BufRead> Read for Decoder<R> {
    /// # Errors
    ///
    /// [`InvalidData`](io::ErrorKind::InvalidData) if the data is corrupt,
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if it is incomplete,
    /// [`Unsupported`](io::ErrorKind::Unsupported) if it is .xz or lzo data that the kernel does not accept, and
    /// errors of the input. The data read before an error may be corrupt, too, because checksums come at
    /// the end.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.is_broken {
            // flate2 would return 0, as at the end.
            return Err(io::Error::other("decompression had already failed"));
        }
        let result = match &mut self.inner {
            AnyDecoder::Gzip(decoder) => decoder.read(buffer),
            AnyDecoder::Bzip2(decoder) => decoder.read(buffer),
            AnyDecoder::Lzma(decoder) => decoder.read(buffer),
            AnyDecoder::Xz(decoder) => decoder.read(buffer),
            AnyDecoder::Lzo(decoder) => decoder.read(buffer),
            AnyDecoder::Lz4(decoder) => decoder.read(buffer),
            AnyDecoder::Zstd(decoder) => decoder.read(buffer),
        };
        result.map_err(|error| {
            self.is_broken = error.kind() != io::ErrorKind::Interrupted;
            self.explain(error)
        })
    }
}

#[cfg(test)]
mod tests;
