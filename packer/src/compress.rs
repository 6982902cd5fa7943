//! How an archive is compressed.

use flate2::{GzBuilder, write::GzEncoder};
use std::io::{self, Write};
use std::{fmt, str::FromStr};

/// A format that the kernel unpacks, and how hard to try. Written `none`, `gzip` or `gzip:LEVEL`.
///
/// The bytes depend on these, on the data, and on the version of the compressor in `Cargo.lock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// The archive as it is.
    None,
    /// RFC 1952, without a file name or a time in its header.
    Gzip {
        /// 1, fastest, to 9, smallest.
        level: u32,
    },
}

impl Default for Compression {
    fn default() -> Self {
        Self::Gzip { level: 9 }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Gzip { level } => write!(f, "gzip:{level}"),
        }
    }
}

impl FromStr for Compression {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            None if text == "gzip" => Ok(Self::default()),
            Some(("gzip", level)) => match level.as_bytes() {
                [digit @ b'1'..=b'9'] => Ok(Self::Gzip {
                    level: u32::from(digit - b'0'),
                }),
                _ => Err("the level is a number from 1 to 9"),
            },
            _ => Err("expected none, gzip or gzip:LEVEL"),
        }
    }
}

impl Compression {
    /// A writer that compresses into `out`. What it got is complete only after
    /// [`finish`](Encoder::finish).
    pub fn encoder<W: Write>(self, out: W) -> Encoder<W> {
        match self {
            Self::None => Encoder::None(out),
            Self::Gzip { level } => {
                let level = flate2::Compression::new(level);
                Encoder::Gzip(Box::new(GzBuilder::new().write(out, level)))
            }
        }
    }
}

/// Compresses what is written to it.
#[derive(Debug)]
pub enum Encoder<W: Write> {
    /// Passes everything on.
    None(W),
    /// Compresses with zlib-rs.
    Gzip(Box<GzEncoder<W>>),
}

impl<W: Write> Encoder<W> {
    /// Writes what is still held back and returns the writer underneath.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Self::None(out) => Ok(out),
            Self::Gzip(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::None(out) => out.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::None(out) => out.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn names() {
        for text in ["none", "gzip:1", "gzip:9"] {
            assert_eq!(text.parse::<Compression>().unwrap().to_string(), text);
        }
        assert_eq!("gzip".parse(), Ok(Compression::default()));
        for text in [
            "", "xz", "none:1", "gzip:", "gzip:0", "gzip:10", "gzip:+1", "gzip:9:9",
        ] {
            assert!(text.parse::<Compression>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_gzip_header_says_nothing_about_where_and_when() {
        let mut encoder = Compression::default().encoder(Vec::new());
        encoder.write_all(b"data").unwrap();
        let bytes = encoder.finish().unwrap();
        // Magic, deflate, no flags; no mtime; slowest; unknown system.
        assert_eq!(bytes[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);

        let mut data = String::new();
        flate2::read::GzDecoder::new(&bytes[..])
            .read_to_string(&mut data)
            .unwrap();
        assert_eq!(data, "data");
    }
}
