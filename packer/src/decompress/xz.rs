//! Unpacks one .xz stream with liblzma, if the kernel accepts it.

use super::DICTIONARY_MAX;
use liblzma::stream::{Action, Error, Status, Stream};
use std::io::{self, BufRead};

/// What liblzma needs besides the dictionary, at most.
const OVERHEAD: u64 = 1 << 19;

/// Section 2.1.1 of "The .xz File Format": the length of the stream's header. A block or the index follows.
const STREAM_HEADER: usize = 12;

/// Unpacks one stream and reads nothing after it.
pub(super) struct XzDecoder<R> {
    input: R,
    stream: Stream,
    /// The headers of the stream and of the first block, as far as they have been read.
    ///
    /// liblzma accepts more than the kernel does, and does not tell which filters it uses. The headers of
    /// the other blocks are not checked: they have the same filters, unless `xz --block-list` was told
    /// otherwise.
    headers: Vec<u8>,
    is_complete: bool,
}

impl<R: BufRead> XzDecoder<R> {
    pub(super) fn new(input: R) -> io::Result<Self> {
        Ok(Self {
            input,
            stream: Stream::new_stream_decoder(u64::from(DICTIONARY_MAX) + OVERHEAD, 0)?,
            headers: Vec::new(),
            is_complete: false,
        })
    }

    pub(super) fn into_inner(self) -> R {
        self.input
    }

    /// How many bytes of the headers have not been read, as far as that is known.
    fn missing(&self) -> usize {
        let length = match self.headers.get(STREAM_HEADER) {
            // Section 3.1.1: the size of the block's header, or 0 where the index begins.
            Some(&size) if size > 0 => STREAM_HEADER + (usize::from(size) + 1) * 4,
            _ => STREAM_HEADER + 1,
        };
        length - self.headers.len()
    }

    /// Checks what the kernel knows, after liblzma has found the headers to be valid.
    fn check_headers(&self) -> io::Result<()> {
        // Section 2.1.1.2: no check, or CRC32.
        if !matches!(self.headers[6..8], [0, 0 | 1]) {
            // `Decoder::explain` prepends "the xz data".
            return Err(unsupported(
                "has a check that the kernel does not know; make it with `xz --check=crc32`",
            ));
        }
        // Section 3.1.2: the number of filters. The last one is always LZMA2.
        match self.headers.get(STREAM_HEADER + 1) {
            Some(flags) if flags & 3 != 0 => Err(other_filters()),
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> io::Read for XzDecoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.is_complete {
            let missing = self.missing();
            let mut input = self.input.fill_buf()?;
            if missing > 0 {
                input = &input[..missing.min(input.len())];
            }
            let (read, written) = (self.stream.total_in(), self.stream.total_out());
            let result = self.stream.process(input, buffer, Action::Run);
            let read = (self.stream.total_in() - read) as usize;
            let written = (self.stream.total_out() - written) as usize;
            let is_end = input.is_empty();
            if missing > 0 {
                self.headers.extend_from_slice(&input[..read]);
            }
            self.input.consume(read);
            self.is_complete = result
                .map_err(|error| explain(error, &mut self.stream, OVERHEAD))?
                == Status::StreamEnd;
            if missing > 0 && self.missing() == 0 {
                self.check_headers()?;
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

/// What an error of liblzma means. `overhead` is what `stream` needs besides the dictionary, at most.
pub(super) fn explain(error: Error, stream: &mut Stream, overhead: u64) -> io::Error {
    match error {
        // liblzma does not tell what it needs, but refuses a limit that is lower.
        Error::MemLimit => {
            let suffices = |mib: &u64| stream.set_memlimit((mib << 20) + overhead).is_ok();
            let needed = (0..=4096).find(suffices).unwrap_or(4096);
            let allowed = DICTIONARY_MAX >> 20;
            unsupported(&format!(
                "needs a dictionary of {needed} MiB; {allowed} are allowed"
            ))
        }
        Error::Options => other_filters(),
        Error::Mem => io::ErrorKind::OutOfMemory.into(),
        error => error.into(),
    }
}

fn other_filters() -> io::Error {
    unsupported(
        "has filters besides LZMA2, which few kernels know; make it without `--x86` and the like",
    )
}

fn unsupported(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, message)
}
