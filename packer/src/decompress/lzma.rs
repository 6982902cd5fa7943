//! Unpacks data in the .lzma format with liblzma: a header of 13 bytes and one stream, with no checksum.
//!
//! The header tells the size of the data, or that an end mark follows it. As for lib/decompress_unlzma.c of the kernel,
//! the data ends there, and what follows is the next part of the image. So with a size and an end mark, as LZMA Utils
//! and 7-Zip can write, the end mark would be junk between the parts. liblzma reads it.

use super::{DICTIONARY_MAX, xz};
use liblzma::stream::{Action, Status, Stream};
use std::io::{self, BufRead};

/// What liblzma needs besides the dictionary, at most.
const OVERHEAD: u64 = 1 << 19;

/// The header: the properties and the dictionary, and then the size, of which all bits are set if it is unknown.
const HEADER: usize = 13;
const SIZE_AT: usize = 5;

/// Unpacks one stream and reads nothing after it.
pub(super) struct LzmaDecoder<R> {
    input: R,
    stream: Stream,
    end_mark: EndMark,
    is_complete: bool,
}

/// Looks for an end mark after data of a known size: decompresses it once more, as if the size were unknown. Then only
/// an end mark ends the data.
struct EndMark {
    stream: Stream,
    header: Vec<u8>,
    is_found: bool,
    unpacked: Box<[u8]>,
}

impl EndMark {
    fn new() -> io::Result<Self> {
        Ok(Self {
            stream: Stream::new_lzma_decoder(u64::from(DICTIONARY_MAX) + OVERHEAD)?,
            header: Vec::new(),
            is_found: false,
            unpacked: vec![0; 1 << 15].into(),
        })
    }

    /// Takes the next bytes of the input.
    fn take(&mut self, mut input: &[u8]) {
        if self.header.len() < HEADER {
            let missing = HEADER - self.header.len();
            let (header, rest) = input.split_at(missing.min(input.len()));
            self.header.extend(header);
            input = rest;
            if self.header.len() == HEADER && self.has_size() {
                let mut header = self.header.clone();
                header[SIZE_AT..].fill(0xff);
                self.process(&header);
            }
        }
        if self.header.len() == HEADER && self.has_size() {
            self.process(input);
        }
    }

    fn has_size(&self) -> bool {
        self.header[SIZE_AT..] != [0xff; HEADER - SIZE_AT]
    }

    fn process(&mut self, mut input: &[u8]) {
        loop {
            let (read, written) = (self.stream.total_in(), self.stream.total_out());
            let result = self.stream.process(input, &mut self.unpacked, Action::Run);
            input = &input[(self.stream.total_in() - read) as usize..];
            match result {
                Ok(Status::StreamEnd) => self.is_found = true,
                // More of the data is in the decoder, or in the input.
                Ok(_) if self.stream.total_out() > written || !input.is_empty() => continue,
                // The other decoder reports errors.
                Ok(_) | Err(_) => {}
            }
            return;
        }
    }
}

impl<R: BufRead> LzmaDecoder<R> {
    pub(super) fn new(input: R) -> io::Result<Self> {
        Ok(Self {
            input,
            stream: Stream::new_lzma_decoder(u64::from(DICTIONARY_MAX) + OVERHEAD)?,
            end_mark: EndMark::new()?,
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
            self.end_mark.take(&input[..read]);
            self.input.consume(read);
            let status = result.map_err(|error| xz::explain(error, &mut self.stream, OVERHEAD))?;
            self.is_complete = status == Status::StreamEnd;
            if self.is_complete && self.end_mark.is_found {
                return Err(io::Error::new(
                    io::ErrorKind::Unsupported,
                    "has both a size and an end mark, which the kernel takes for junk; make it with `xz --format=lzma`",
                ));
            }
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
