//! The uncompressed bytes of an image: those of the file itself, and those of its compressed members.

use super::buffer::{BUFFER, ImageBuffer};
use super::foreign;
use crate::decompress::{Decoder, Format, detect};
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::{fmt, mem};

/// A position in an image, for errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The number of bytes before it, from the start of the image or of the uncompressed data of the
    /// member.
    pub byte: u64,
    /// The format of the compressed member, and the byte of the image where it begins.
    pub member: Option<(Format, u64)>,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "byte {}", self.byte)?;
        if let Some((format, begin)) = self.member {
            write!(f, " of the {format} member at byte {begin}")?;
        }
        Ok(())
    }
}

impl Position {
    /// An error about the data at this position.
    pub(super) fn error(&self, kind: ErrorKind, reason: impl fmt::Display) -> io::Error {
        io::Error::new(kind, format!("{self}: {reason}"))
    }

    /// As [`error`](Self::error), for data that Linux refuses, too.
    pub(super) fn invalid(&self, reason: impl fmt::Display) -> io::Error {
        self.error(ErrorKind::InvalidData, reason)
    }

    /// As [`error`](Self::error), for an incomplete entry that begins at this position.
    pub(super) fn cut_off(&self, what: &str, missing: u64) -> io::Error {
        let reason =
            format!("the entry that begins here is cut off: {missing} bytes of {what} are missing");
        self.error(ErrorKind::UnexpectedEof, reason)
    }
}

/// The most NULs in a row, between archives. /dev/zero has no end, and 50 kB of zstd data have a gigabyte of them.
pub(crate) const NULS_MAX: u64 = 1 << 30;

fn count_nuls(bytes: &[u8]) -> usize {
    const MANY: [u8; 4096] = [0; 4096];
    let whole = bytes.chunks_exact(MANY.len());
    let start = whole.take_while(|chunk| *chunk == MANY).count() * MANY.len();
    let rest = bytes[start..].iter();
    start + rest.take_while(|&&byte| byte == 0).count()
}

/// Reads an image and unpacks its compressed members.
pub(super) struct Stream<R: Read> {
    source: Source<R>,
    position: Position,
    /// The hash of the bytes consumed since the caller last reset it, if hashes are wanted.
    pub hash: Option<Sha256>,
}

enum Source<R: Read> {
    Image(ImageBuffer<R>),
    Member(BufReader<Decoder<ImageBuffer<R>>>),
    /// The image is gone, because making a decoder failed.
    Lost,
}

impl<R: Read> Stream<R> {
    pub fn new(image: R, with_hashes: bool) -> Self {
        let new_hash = || with_hashes.then(Sha256::new);
        Self {
            source: Source::Image(ImageBuffer::new(image, new_hash())),
            position: Position {
                byte: 0,
                member: None,
            },
            hash: new_hash(),
        }
    }

    pub fn position(&self) -> Position {
        self.position
    }

    /// The next bytes. Empty at the end of the member or, outside a member, of the image.
    pub fn fill(&mut self) -> io::Result<&[u8]> {
        let position = self.position;
        let result = match &mut self.source {
            Source::Image(image) => image.fill_buf(),
            Source::Member(member) => member.fill_buf(),
            Source::Lost => Ok(&[][..]),
        };
        result.map_err(|error| match error.raw_os_error() {
            // An error of the operating system is not about the data, so it needs no position.
            Some(_) => error,
            None => position.error(error.kind(), &error),
        })
    }

    /// The bytes that [`fill`](Self::fill) returned.
    pub fn buffer(&self) -> &[u8] {
        match &self.source {
            Source::Image(image) => image.buffer(),
            Source::Member(member) => member.buffer(),
            Source::Lost => &[],
        }
    }

    /// Consumes some of the bytes that [`fill`](Self::fill) returned.
    pub fn consume(&mut self, amount: usize) {
        let mut hash = self.hash.take();
        if let Some(hash) = &mut hash {
            hash.update(&self.buffer()[..amount]);
        }
        self.hash = hash;
        match &mut self.source {
            Source::Image(image) => image.consume(amount),
            Source::Member(member) => member.consume(amount),
            Source::Lost => {}
        }
        self.position.byte += amount as u64;
    }

    /// The next byte, without consuming it.
    pub fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.fill()?.first().copied())
    }

    /// Skips NULs, but not more than [`NULS_MAX`]. Returns the next byte, without consuming it.
    pub fn skip_nuls(&mut self) -> io::Result<Option<u8>> {
        let begin = self.position;
        loop {
            let bytes = self.fill()?;
            let nuls = count_nuls(bytes);
            let next = bytes.get(nuls).copied();
            self.consume(nuls);
            if next.is_some() || nuls == 0 {
                return Ok(next);
            }
            if self.position.byte - begin.byte > NULS_MAX {
                return Err(begin.invalid(format_args!(
                    "more than {} MiB of NULs begin here, and perhaps they never end; if an image comes before them, \
                     cut them off, as `head -c SIZE` does",
                    NULS_MAX >> 20
                )));
            }
        }
    }

    /// Reads until `buffer` is full or the data ends. Returns the number of bytes.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let read = self.fill()?.read(&mut buffer[filled..])?;
            if read == 0 {
                break;
            }
            self.consume(read);
            filled += read;
        }
        Ok(filled)
    }

    /// Skips `amount` bytes, or fewer if the data ends. Returns the number of bytes.
    pub fn skip(&mut self, amount: u64) -> io::Result<u64> {
        let mut left = amount;
        while left > 0 {
            let at_hand = self.fill()?.len();
            if at_hand == 0 {
                break;
            }
            let next = at_hand.min(usize::try_from(left).unwrap_or(usize::MAX));
            self.consume(next);
            left -= next as u64;
        }
        Ok(amount - left)
    }

    /// Enters the compressed member at this position. `skipped` is the number of NULs between the start of
    /// the file and this position, if there is nothing else.
    pub fn enter_member(&mut self, skipped: u64) -> io::Result<()> {
        let position = self.position;
        let Source::Image(mut image) = mem::replace(&mut self.source, Source::Lost) else {
            unreachable!("a member cannot contain another member");
        };
        let start = image.fill(2)?;
        let Some(format) = detect(start) else {
            let begin = position.byte - skipped;
            if let Some(found) = foreign::identify(image.fill(foreign::ENOUGH)?, begin, skipped) {
                return Err(position.invalid(format_args!("expected an archive, found {found}")));
            }
            let start = image.buffer();
            let found = super::show(start.get(..2).unwrap_or(start));
            return Err(position.invalid(format_args!(
                "expected an archive, compressed data of a kind that Linux knows, or NULs; found {found}"
            )));
        };
        let member =
            Decoder::new(format, image).map_err(|error| position.error(error.kind(), error))?;
        self.source = Source::Member(BufReader::with_capacity(BUFFER, member));
        self.position = Position {
            byte: 0,
            member: Some((format, position.byte)),
        };
        Ok(())
    }

    /// Leaves the member, at its end. False if the stream is not in a member.
    pub fn leave_member(&mut self) -> bool {
        match mem::replace(&mut self.source, Source::Lost) {
            Source::Member(member) => {
                let image = member.into_inner().into_inner();
                self.position = Position {
                    byte: image.offset,
                    member: None,
                };
                self.source = Source::Image(image);
                true
            }
            source => {
                self.source = source;
                false
            }
        }
    }

    /// Size and hash of the image. Valid only at its end.
    pub fn image(&self) -> Option<super::ImageFile> {
        match &self.source {
            Source::Image(image) => Some(super::ImageFile {
                size: image.offset,
                sha256: image.hash.clone().map(|hash| hash.finalize().into()),
            }),
            Source::Member(_) | Source::Lost => None,
        }
    }
}
