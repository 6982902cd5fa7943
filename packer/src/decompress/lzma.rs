//! Unpacks data in the .lzma format with liblzma: a header of 13 bytes and one stream, with no checksum.
//!
//! The header tells the size of the data, or that an end mark follows it. As for lib/decompress_unlzma.c of the kernel,
//! the data ends there, and what follows is the next part of the image.

use super::{DICTIONARY_MAX, xz};
use liblzma::stream::{Action, Status, Stream};
use std::io::{self, BufRead};

/// What liblzma needs besides the dictionary, at most.
const OVERHEAD: u64 = 1 << 19;

/// Unpacks one stream and reads nothing after it.
pub(super) struct LzmaDecoder<R> {
    input: R,
    stream: Stream,
    is_complete: bool,
}

impl<R: BufRead> LzmaDecoder<R> {
    pub(super) fn new(input: R) -> io::Result<Self> {
        Ok(Self {
            input,
            stream: Stream::new_lzma_decoder(u64::from(DICTIONARY_MAX) + OVERHEAD)?,
            is_complete: false,
        })
    }

    pub(super) fn into_inner(self) -> R {
        self.input
    }
}

impl<R: BufRead> io::Read for LzmaDecoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.is_complete {
            let input = self.input.fill_buf()?;
            let (read, written) = (self.stream.total_in(), self.stream.total_out());
            let result = self.stream.process(input, buffer, Action::Run);
            let read = (self.stream.total_in() - read) as usize;
            let written = (self.stream.total_out() - written) as usize;
            let is_end = input.is_empty();
            self.input.consume(read);
            let status = result.map_err(|error| xz::explain(error, &mut self.stream, OVERHEAD))?;
            self.is_complete = status == Status::StreamEnd;
            if written > 0 {
                return Ok(written);
            }
            if is_end && !self.is_complete {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}
