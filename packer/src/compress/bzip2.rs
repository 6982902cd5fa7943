//! Writes bzip2, in one thread.
//!
//! We do not unpack the data again to check it: each block has the CRC32 of the data that was to be compressed.

use bzip2::{Action, Compress, Status};
use std::io::{self, Write};

/// How many bytes to take from the compressor at once.
const STEP: usize = 1 << 16;

/// Compresses the data written to it.
///
/// `bzip2::write::BzEncoder` would complete its output when it is dropped, and after an error, too.
pub(super) struct Bzip2Encoder<W> {
    stream: Compress,
    packed: Vec<u8>,
    out: W,
}

impl<W: Write> Bzip2Encoder<W> {
    /// `level` is the size of a block in 100 kB, 1 to 9.
    pub(super) fn new(level: u32, out: W) -> Self {
        Self {
            // 0 is the default of the work factor, which does not change the output.
            stream: Compress::new(bzip2::Compression::new(level), 0),
            packed: Vec::with_capacity(STEP),
            out,
        }
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        while self.step(&[], Action::Finish)? != Status::StreamEnd {}
        Ok(self.out)
    }

    fn step(&mut self, data: &[u8], action: Action) -> io::Result<Status> {
        self.packed.clear();
        let result = self.stream.compress_vec(data, &mut self.packed, action);
        let status = result.map_err(io::Error::other)?;
        self.out.write_all(&self.packed)?;
        Ok(status)
    }
}

impl<W: Write> Write for Bzip2Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.stream.total_in();
        while self.stream.total_in() == taken && !bytes.is_empty() {
            self.step(bytes, Action::Run)?;
        }
        Ok((self.stream.total_in() - taken) as usize)
    }

    /// Flushes only the inner writer. bzip2's flush would end a block.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
