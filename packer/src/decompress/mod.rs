//! Unpacks what the kernel would, to look into an image.

mod xz;

use std::fmt;
use std::io::{self, BufRead, Read};

/// A format that the kernel knows by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 1952.
    Gzip,
    /// bzip2.
    Bzip2,
    /// LZMA alone, the format before .xz.
    Lzma,
    /// The .xz format.
    Xz,
    /// What `lzop` writes.
    Lzo,
    /// What `lz4 -l` writes, the "legacy frame".
    Lz4,
    /// RFC 8878.
    Zstd,
}

/// `compressed_formats` of the kernel's lib/decompress.c.
const MAGIC: [([u8; 2], Format); 8] = [
    ([0x1f, 0x8b], Format::Gzip),
    // What gzip 0.5 wrote. The kernel recognizes it and then says "Not a gzip file".
    ([0x1f, 0x9e], Format::Gzip),
    ([0x42, 0x5a], Format::Bzip2),
    ([0x5d, 0x00], Format::Lzma),
    ([0xfd, 0x37], Format::Xz),
    ([0x89, 0x4c], Format::Lzo),
    ([0x02, 0x21], Format::Lz4),
    ([0x28, 0xb5], Format::Zstd),
];

/// In which format the data is that starts with these bytes, of which two are enough.
///
/// As in the kernel, `Some` means that it is this format or none: [`Decoder`] looks at the rest.
pub fn detect(start: &[u8]) -> Option<Format> {
    let (magic, _) = start.split_first_chunk()?;
    MAGIC
        .iter()
        .find(|(known, _)| known == magic)
        .map(|&(_, format)| format)
}

impl Format {
    /// The command that unpacks what [`Decoder`] does not, from standard input to standard output.
    pub fn unpacked_by(self) -> Option<&'static str> {
        match self {
            Self::Gzip | Self::Xz | Self::Zstd => None,
            Self::Bzip2 => Some("bzip2 -dc"),
            Self::Lzma => Some("xz --format=lzma -dc"),
            Self::Lzo => Some("lzop -dc"),
            Self::Lz4 => Some("lz4 -dc"),
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

/// Unpacks one member of a file: a gzip member, a zstd frame or an .xz stream.
///
/// An image may have more after it, compressed or not. Once [`read`](Read::read) has given 0,
/// [`into_inner`](Self::into_inner) gives the input back, at the first byte after the member.
///
/// Memory is bounded, whatever the input says: a window or dictionary of more than 128 MiB, which
/// is what the kernel allows zstd, is an error.
///
/// Of xz, this takes what the kernel takes: CRC32 or no check, and LZMA2 without BCJ filters.
pub struct Decoder<R: BufRead> {
    format: Format,
    inner: AnyDecoder<R>,
    is_broken: bool,
}

enum AnyDecoder<R: BufRead> {
    Gzip(Box<flate2::bufread::GzDecoder<R>>),
    Zstd(zstd::stream::read::Decoder<'static, R>),
    Xz(Box<xz::XzDecoder<R>>),
}

/// The largest window of zstd, as a power of 2: `ZSTD_WINDOWSIZE_MAX` of lib/decompress_unzstd.c.
const WINDOW_LOG_MAX: u32 = 27;

/// The largest dictionary of xz, in bytes. The kernel has no limit; `xz -9` takes 64 MiB.
const DICTIONARY_MAX: u32 = 1 << WINDOW_LOG_MAX;

impl<R: BufRead> Decoder<R> {
    /// Unpacks `input`, which is at the first byte of a member.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](io::ErrorKind::Unsupported) for bzip2, lzma, lzo and lz4: the message says
    /// what unpacks them.
    pub fn new(format: Format, input: R) -> io::Result<Self> {
        let inner = match format {
            Format::Gzip => AnyDecoder::Gzip(Box::new(flate2::bufread::GzDecoder::new(input))),
            Format::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?.single_frame();
                decoder.window_log_max(WINDOW_LOG_MAX)?;
                AnyDecoder::Zstd(decoder)
            }
            Format::Xz => AnyDecoder::Xz(Box::new(xz::XzDecoder::new(input))),
            Format::Bzip2 | Format::Lzma | Format::Lzo | Format::Lz4 => {
                let command = format.unpacked_by().unwrap_or_default();
                let reason = format!("{format} is not supported; unpack it with `{command}` first");
                return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
            }
        };
        Ok(Self {
            format,
            inner,
            is_broken: false,
        })
    }

    /// The input. Before `read` has given 0, where it is at is not specified.
    pub fn into_inner(self) -> R {
        match self.inner {
            AnyDecoder::Gzip(decoder) => decoder.into_inner(),
            AnyDecoder::Zstd(decoder) => decoder.finish(),
            AnyDecoder::Xz(decoder) => decoder.into_inner(),
        }
    }

    /// Says which format an error is about. The libraries' messages do not, and each has kinds of
    /// its own for corrupt data. Errors of the input stay as they are.
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
    /// [`Unsupported`](io::ErrorKind::Unsupported) if it is .xz that the kernel does not take; else
    /// the error of the input. What was read up to an error may be corrupt, too: checksums come
    /// last.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.is_broken {
            // flate2 would give 0, as at the end.
            return Err(io::Error::other("decompression had already failed"));
        }
        let result = match &mut self.inner {
            AnyDecoder::Gzip(decoder) => decoder.read(buffer),
            AnyDecoder::Zstd(decoder) => decoder.read(buffer),
            AnyDecoder::Xz(decoder) => decoder.read(buffer),
        };
        result.map_err(|error| {
            self.is_broken = error.kind() != io::ErrorKind::Interrupted;
            self.explain(error)
        })
    }
}

#[cfg(test)]
mod tests;
