//! Reading the contents of an entry.

use super::Reader;
use super::stream::Position;
use crate::escape::escape;
use bstr::BString;
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, Read};

/// The part of an entry that is not read yet.
pub(super) struct Rest {
    pub path: BString,
    pub position: Position,
    /// Size of the remaining contents in bytes.
    pub contents: u64,
    /// The checksum of the contents read so far, and the expected one of all contents.
    pub sum: Option<(u32, u32)>,
    /// The byte after the padding, where the next header may begin.
    pub end: u64,
}

/// Reads the contents of one file: [`Reader::contents`].
pub struct Contents<'a, R: Read>(pub(super) &'a mut Reader<R>);

impl<R: Read> Contents<'_, R> {
    /// Reads the remaining contents and returns their SHA-256, 64 hexadecimal digits.
    ///
    /// # Errors
    /// Those of reading.
    pub fn sha256(self) -> io::Result<String> {
        self.sha256_after(Sha256::new())
    }

    fn sha256_after(mut self, mut hash: Sha256) -> io::Result<String> {
        loop {
            let bytes = self.fill_buf()?;
            if bytes.is_empty() {
                return Ok(format!("{:x}", hash.finalize()));
            }
            hash.update(bytes);
            let read = bytes.len();
            self.consume(read);
        }
    }
}

/// Hashes contents while they are read.
pub(crate) struct Hashed<'a, R: Read> {
    contents: Contents<'a, R>,
    hash: Sha256,
}

impl<'a, R: Read> Hashed<'a, R> {
    pub fn new(contents: Contents<'a, R>) -> Self {
        Self {
            contents,
            hash: Sha256::new(),
        }
    }

    /// Reads what is left. Returns the SHA-256 of all.
    pub fn sha256(self) -> io::Result<String> {
        self.contents.sha256_after(self.hash)
    }
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.contents.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}

impl<R: Read> BufRead for Contents<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let Reader { stream, rest, .. } = &mut *self.0;
        if rest.contents == 0 {
            return Ok(&[]);
        }
        if stream.fill()?.is_empty() {
            return Err(self.0.contents_cut_off());
        }
        let left = usize::try_from(self.0.rest.contents).unwrap_or(usize::MAX);
        let bytes = self.0.stream.fill()?;
        let size = bytes.len().min(left);
        Ok(&bytes[..size])
    }

    fn consume(&mut self, amount: usize) {
        let Reader { stream, rest, .. } = &mut *self.0;
        if let Some((sum, _)) = &mut rest.sum {
            for &byte in &stream.buffer()[..amount] {
                *sum = sum.wrapping_add(byte.into());
            }
        }
        stream.consume(amount);
        rest.contents -= amount as u64;
    }
}

impl<R: Read> Read for Contents<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> Reader<R> {
    /// Skips the rest of the entry, and checks its checksum.
    pub(super) fn finish_entry(&mut self) -> io::Result<()> {
        if self.rest.sum.is_some() {
            io::copy(&mut self.contents(), &mut io::sink())?;
        }
        self.rest.contents -= self.stream.skip(self.rest.contents)?;
        if self.rest.contents > 0 {
            return Err(self.contents_cut_off());
        }
        let position = self.rest.position;
        if let Some((found, expected)) = self.rest.sum.take() {
            if found != expected {
                return Err(position.invalid(format_args!(
                    "{}: its bytes sum up to {found:#010x}, but its header says {expected:#010x}",
                    escape(&self.rest.path)
                )));
            }
        }
        // Before the first entry, `end` is 0.
        let padding = self.rest.end.saturating_sub(self.stream.position().byte);
        self.rest.end = 0;
        let missing = padding - self.stream.skip(padding)?;
        if missing > 0 {
            return Err(position.cut_off("its padding", missing));
        }
        Ok(())
    }

    fn contents_cut_off(&self) -> io::Error {
        let Rest { path, position, .. } = &self.rest;
        let missing = self.rest.contents;
        let what = format!("the contents of {}", escape(path));
        position.cut_off(&what, missing)
    }
}
