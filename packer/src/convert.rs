//! Converts an archive in an old format of cpio, which Linux does not know, to newc, which Linux unpacks.
//!
//! The POSIX standard (pax, "ustar and cpio") describes odc, and cpio(5) both formats.
//!
//! ```
//! use packer::convert::OldFormat;
//!
//! assert_eq!(OldFormat::detect(b"070707"), Some(OldFormat::Odc));
//! // newc needs no conversion.
//! assert_eq!(OldFormat::detect(b"070701"), None);
//! ```

use crate::archive::{Output, newc_size};
use crate::create::PIECE;
use crate::decompress::{Decoder, detect};
use crate::error::Reason;
use crate::newc::{self, Header};
use crate::output::OutFile;
use crate::paths::PATH_MAX;
use crate::reader::NULS_MAX;
use crate::{Compression, Error, escape::escape};
use bstr::{BString, ByteSlice};
use std::fmt::Display;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::num::NonZero;

/// A format of cpio that is older than newc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldFormat {
    /// Numbers of 16 bits, the least significant byte first.
    BinaryLittleEndian,
    /// Numbers of 16 bits, the most significant byte first.
    BinaryBigEndian,
    /// The portable format of POSIX: octal digits.
    Odc,
}

/// Each format, its magic, its name, and the multiple of bytes to which it pads paths and contents.
const FORMATS: [(OldFormat, &[u8], &str, u64); 3] = [
    (
        OldFormat::BinaryLittleEndian,
        b"\xc7\x71",
        "the old binary format of cpio, little-endian",
        2,
    ),
    (
        OldFormat::BinaryBigEndian,
        b"\x71\xc7",
        "the old binary format of cpio, big-endian",
        2,
    ),
    (
        OldFormat::Odc,
        b"070707",
        "odc, the old portable format of cpio",
        1,
    ),
];

impl OldFormat {
    /// Recognises a format by the first bytes of an archive.
    pub fn detect(start: &[u8]) -> Option<Self> {
        let row = FORMATS
            .iter()
            .find(|(_, magic, _, _)| start.starts_with(magic));
        row.map(|(format, _, _, _)| *format)
    }

    /// The format in words.
    pub fn name(self) -> &'static str {
        self.row().2
    }

    fn align(self) -> u64 {
        self.row().3
    }

    fn row(self) -> &'static (Self, &'static [u8], &'static str, u64) {
        let row = FORMATS.iter().find(|(format, _, _, _)| *format == self);
        row.expect("the table has every format")
    }
}

/// Reads the archive `input`, which may be compressed, and writes it to `out` as newc. Returns the format that it had,
/// and `out`, which is not flushed.
///
/// The entries stay in their order and keep all their metadata, and each name of a file with several names has the
/// contents, if it had them before.
///
/// # Errors
/// [`Error::Input`] if it is not an archive in one of these formats, is damaged, or has something that newc cannot
/// represent. [`Error::Output`] if writing fails.
pub fn convert<W: Write>(input: impl Read, out: W) -> Result<(OldFormat, W), Error> {
    let mut input = BufReader::new(input);
    let packed = detect(input.fill_buf().map_err(Error::Input)?);
    let mut rest = match packed {
        None => {
            let mut archive = Archive::new(&mut input);
            let converted = archive.convert(out)?;
            archive.end().map_err(Error::Input)?;
            return Ok(converted);
        }
        Some(format) => Decoder::new(format, input).map_err(Error::Input)?,
    };
    let mut unpacked = BufReader::new(&mut rest);
    let mut archive = Archive::new(&mut unpacked);
    let converted = archive.convert(out)?;
    archive.end().map_err(Error::Input)?;
    // What follows the compressed data.
    let mut input = rest.into_inner();
    Archive::new(&mut input).end().map_err(Error::Input)?;
    Ok(converted)
}

/// As [`convert`], and compresses the archive. `out` is never incomplete: see [`create`](crate::create).
///
/// # Errors
/// Those of [`convert`], and if `out` cannot be written.
pub fn convert_to(
    input: impl Read,
    out: &OutFile,
    compression: Compression,
    jobs: NonZero<usize>,
) -> Result<OldFormat, Error> {
    let pending = out.begin()?;
    let failed = |error| pending.failed(error);
    let encoder = compression.encoder(jobs, BufWriter::new(pending.file()));
    // Many small writes would take long in a compressor with threads.
    let encoder = BufWriter::with_capacity(PIECE, encoder.map_err(failed)?);
    let (format, encoder) = convert(input, encoder).map_err(|error| match error {
        Error::Output(error) => pending.failed(error),
        error => error,
    })?;
    let encoder = encoder.into_inner().map_err(|error| failed(error.into()))?;
    let mut file = encoder.finish().map_err(failed)?;
    file.flush().map_err(failed)?;
    drop(file);
    pending.commit()?;
    Ok(format)
}

struct Archive<'a, R> {
    input: &'a mut R,
    /// The number of bytes that have been read.
    offset: u64,
}

impl<'a, R: BufRead> Archive<'a, R> {
    fn new(input: &'a mut R) -> Self {
        Self { input, offset: 0 }
    }

    fn convert<W: Write>(&mut self, out: W) -> Result<(OldFormat, W), Error> {
        let start = self.input.fill_buf().map_err(Error::Input)?;
        let Some(format) = OldFormat::detect(start) else {
            let is_newc = start.starts_with(b"07070");
            let reason = match is_newc {
                true => {
                    "is in the format newc already, which Linux unpacks: there is nothing to convert"
                }
                false => "is not a cpio archive in an old format: odc, or binary",
            };
            return Err(Error::Input(io::Error::new(ErrorKind::InvalidData, reason)));
        };
        let mut out = Output::new(out);
        loop {
            let begin = self.offset;
            let at = |reason: Reason| {
                let reason = format!("byte {begin}: {reason}");
                Error::Input(io::Error::new(ErrorKind::InvalidData, reason))
            };
            let failed = |error: io::Error| match error.raw_os_error() {
                Some(_) => Error::Input(error),
                None => at(error.into()),
            };
            let (header, size) = self.header(format).map_err(failed)?;
            let path = self.path(header.namesize, format).map_err(failed)?;
            if path == newc::TRAILER {
                break;
            }
            let wrong = |reason: Reason| at(format!("{}: {reason}", escape(&path)).into());
            let size = newc_size(size).map_err(|reason| wrong(reason.into()))?;
            let header = Header {
                filesize: size,
                ..header
            };
            out.header(path.as_bstr(), header).map_err(Error::Output)?;
            self.contents(size.into(), &mut out, &failed)?;
            self.padding(size.into(), format).map_err(failed)?;
            out.pad(newc::ALIGN).map_err(Error::Output)?;
        }
        Ok((format, out.end()?))
    }

    /// Reads a header. Returns it as newc has it, and the size of the contents, which may be too large for newc.
    fn header(&mut self, format: OldFormat) -> io::Result<(Header, u64)> {
        let ([dev, ino, mode, uid, gid, nlink, rdev, namesize], mtime, filesize) = match format {
            OldFormat::Odc => self.octal_header()?,
            OldFormat::BinaryLittleEndian => self.binary_header(u16::from_le_bytes)?,
            OldFormat::BinaryBigEndian => self.binary_header(u16::from_be_bytes)?,
        };
        let mtime = u32::try_from(mtime)
            .map_err(|_| invalid("its time is after 2106, which newc cannot represent"))?;
        let header = Header {
            ino,
            mode,
            uid,
            gid,
            nlink,
            mtime,
            // Both formats are older than larger device numbers.
            devmajor: dev >> 8,
            devminor: dev & 0xff,
            rdevmajor: rdev >> 8,
            rdevminor: rdev & 0xff,
            namesize,
            ..Header::default()
        };
        Ok((header, filesize))
    }

    fn octal_header(&mut self) -> io::Result<([u32; 8], u64, u64)> {
        let magic: [u8; 6] = self.bytes("its header")?;
        if magic != *b"070707" {
            return Err(wrong_magic(&magic));
        }
        let mut fields = [0; 8];
        let (first, last) = fields.split_at_mut(7);
        for field in first {
            *field = self.octal::<6>()? as u32;
        }
        let mtime = self.octal::<11>()?;
        last[0] = self.octal::<6>()? as u32;
        Ok((fields, mtime, self.octal::<11>()?))
    }

    fn octal<const N: usize>(&mut self) -> io::Result<u64> {
        let digits: [u8; N] = self.bytes("its header")?;
        let number = digits.iter().try_fold(0, |number, digit| {
            let digit = char::from(*digit).to_digit(8)?;
            Some(number * 8 + u64::from(digit))
        });
        number.ok_or_else(|| {
            invalid(format_args!(
                "expected a header of octal digits, found `{}`",
                escape(&digits)
            ))
        })
    }

    fn binary_header(&mut self, word: fn([u8; 2]) -> u16) -> io::Result<([u32; 8], u64, u64)> {
        let mut words = [0; 13];
        for (number, field) in words.iter_mut().enumerate() {
            let bytes = self.bytes("its header")?;
            *field = u32::from(word(bytes));
            if number == 0 && *field != 0o070707 {
                return Err(wrong_magic(&bytes));
            }
        }
        let [
            _,
            dev,
            ino,
            mode,
            uid,
            gid,
            nlink,
            rdev,
            times @ ..,
            namesize,
            high,
            low,
        ] = words;
        // As on a PDP-11, the more significant word comes first.
        let long = |high: u32, low: u32| (u64::from(high) << 16) | u64::from(low);
        let mtime = long(times[0], times[1]);
        let fields = [dev, ino, mode, uid, gid, nlink, rdev, namesize];
        Ok((fields, mtime, long(high, low)))
    }

    /// Reads a path, without its NUL, and its padding.
    fn path(&mut self, size: u32, format: OldFormat) -> io::Result<BString> {
        if !(1..=PATH_MAX).contains(&(size as usize)) {
            return Err(invalid("its path is not 1 to 4095 bytes long"));
        }
        let mut path = Vec::new();
        let mut input = self.input.by_ref().take(size.into());
        input.read_to_end(&mut path)?;
        if path.len() < size as usize {
            return Err(cut_off("its path"));
        }
        self.offset += u64::from(size);
        // The size of a binary header is even, too.
        self.padding(size.into(), format)?;
        match path.split_last() {
            Some((0, path)) if !path.contains(&0) => Ok(path.into()),
            _ => {
                let found = escape(&path).to_string();
                Err(invalid(format_args!(
                    "expected a path with a NUL at its end only, found `{found}`"
                )))
            }
        }
    }

    fn contents<W: Write>(
        &mut self,
        size: u64,
        out: &mut Output<W>,
        failed: &dyn Fn(io::Error) -> Error,
    ) -> Result<(), Error> {
        let mut left = size;
        while left > 0 {
            let bytes = self.input.fill_buf().map_err(failed)?;
            if bytes.is_empty() {
                return Err(failed(cut_off("its contents")));
            }
            let read = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            out.bytes(&bytes[..read]).map_err(Error::Output)?;
            self.input.consume(read);
            left -= read as u64;
        }
        self.offset += size;
        Ok(())
    }

    fn padding(&mut self, size: u64, format: OldFormat) -> io::Result<()> {
        for _ in size..size.next_multiple_of(format.align()) {
            self.bytes::<1>("its padding")?;
        }
        Ok(())
    }

    fn bytes<const N: usize>(&mut self, what: &str) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input
            .read_exact(&mut bytes)
            .map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof if error.get_ref().is_none() => cut_off(what),
                _ => error,
            })?;
        self.offset += N as u64;
        Ok(bytes)
    }

    /// Reads the NULs after the archive. Other data would be lost.
    fn end(&mut self) -> io::Result<()> {
        let mut nuls = 0;
        loop {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                return Ok(());
            }
            if bytes.iter().any(|&byte| byte != 0) {
                return Err(invalid(
                    "something follows the trailer, which would be lost; cut it off, and convert it by itself",
                ));
            }
            let read = bytes.len();
            self.input.consume(read);
            nuls += read as u64;
            if nuls > NULS_MAX {
                return Err(invalid(format_args!(
                    "more than {} MiB of NULs follow the trailer, and perhaps they never end; cut them off",
                    NULS_MAX >> 20
                )));
            }
        }
    }
}

fn invalid(reason: impl Display) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason.to_string())
}

fn wrong_magic(found: &[u8]) -> io::Error {
    invalid(format_args!(
        "expected the next entry or the trailer, found `{}`",
        escape(found)
    ))
}

fn cut_off(what: &str) -> io::Error {
    let reason = format!("the entry that begins here is cut off: a part of {what} is missing");
    io::Error::new(ErrorKind::UnexpectedEof, reason)
}
