//! Buffered reading of an image file.

use sha2::{Digest, Sha256};
use std::io::{self, BufRead, ErrorKind, Read};

/// The default size of a pipe.
pub(super) const BUFFER: usize = 64 * 1024;

/// A buffer over the image file. Counts the bytes, and hashes them on request.
pub(super) struct ImageBuffer<R> {
    inner: R,
    buffer: Box<[u8]>,
    /// The part of `buffer` that is read but not consumed.
    start: usize,
    end: usize,
    /// How many bytes have been consumed.
    pub offset: u64,
    /// The hash of all bytes read so far.
    pub hash: Option<Sha256>,
}

impl<R: Read> ImageBuffer<R> {
    pub fn new(inner: R, hash: Option<Sha256>) -> Self {
        Self {
            inner,
            buffer: vec![0; BUFFER].into(),
            start: 0,
            end: 0,
            offset: 0,
            hash,
        }
    }

    /// As `fill_buf`, but returns at least `amount` bytes unless the file ends before that.
    pub fn fill(&mut self, amount: usize) -> io::Result<&[u8]> {
        while self.end - self.start < amount {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            let read = match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if let Some(hash) = &mut self.hash {
                hash.update(&self.buffer[self.end..][..read]);
            }
            self.end += read;
        }
        Ok(self.buffer())
    }

    /// The bytes in the buffer.
    pub fn buffer(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }
}

impl<R: Read> BufRead for ImageBuffer<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.fill(1)
    }

    fn consume(&mut self, amount: usize) {
        self.start += amount;
        self.offset += amount as u64;
    }
}

impl<R: Read> Read for ImageBuffer<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}
