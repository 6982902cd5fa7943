//! Divides data into chunks, compresses them in threads and writes them in their order.

use super::threads::{CompressChunk, Threads};
use std::io::{self, Write};
use std::mem;
use std::num::NonZero;

/// A format whose chunks can be compressed independently of each other.
///
/// The division into chunks depends only on [`chunk_size`](Self::chunk_size), so the output is the same for
/// any number of threads.
pub(super) trait ChunkedFormat {
    /// A compressed chunk.
    type Piece: Send + 'static;

    /// The size of a chunk in bytes. Only the last one may be smaller. It is empty only if there is no data
    /// at all.
    fn chunk_size(&self) -> usize;

    /// The function that a thread calls for each of its chunks.
    fn compressor(&self) -> CompressChunk<Self::Piece>;

    /// The bytes before the first chunk.
    fn header(&mut self) -> Vec<u8>;

    /// The bytes of the next chunk.
    fn piece(&mut self, piece: Self::Piece) -> Vec<u8>;

    /// The bytes after the last chunk.
    fn trailer(&mut self) -> Vec<u8>;
}

/// Compresses the data written to it.
pub(super) struct Chunked<F: ChunkedFormat, W> {
    format: F,
    out: W,
    threads: Threads<F::Piece>,
    /// The incomplete chunk. A full chunk stays here until more data comes, because before that it may be
    /// the last one.
    data: Vec<u8>,
    is_begun: bool,
}

impl<F: ChunkedFormat, W: Write> Chunked<F, W> {
    pub(super) fn new(format: F, jobs: NonZero<usize>, out: W) -> Self {
        Self {
            format,
            out,
            threads: Threads::new(jobs),
            data: Vec::new(),
            is_begun: false,
        }
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.submit(true)?;
        while let Some(piece) = self.threads.next() {
            self.out.write_all(&self.format.piece(piece?))?;
        }
        self.out.write_all(&self.format.trailer())?;
        Ok(self.out)
    }

    /// Submits the data to the threads. If they are busy, waits for the oldest chunk and writes it.
    fn submit(&mut self, is_last: bool) -> io::Result<()> {
        if !mem::replace(&mut self.is_begun, true) {
            self.out.write_all(&self.format.header())?;
        }
        if self.threads.are_busy() {
            if let Some(piece) = self.threads.next() {
                self.out.write_all(&self.format.piece(piece?))?;
            }
        }
        // The next chunk probably has the same size. For the first chunk nothing is allocated, because it
        // may be the only one and small.
        let capacity = if is_last { 0 } else { self.data.len() };
        let data = mem::replace(&mut self.data, Vec::with_capacity(capacity));
        self.threads
            .submit(data, is_last, || self.format.compressor())
    }
}

impl<F: ChunkedFormat, W: Write> Write for Chunked<F, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let size = self.format.chunk_size();
        if self.data.len() == size {
            self.submit(false)?;
        }
        let taken = bytes.len().min(size - self.data.len());
        self.data.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    /// Chunks of 3 bytes, each in brackets, the last one with a full stop.
    struct Brackets;

    impl ChunkedFormat for Brackets {
        type Piece = Vec<u8>;

        fn chunk_size(&self) -> usize {
            3
        }

        fn compressor(&self) -> CompressChunk<Vec<u8>> {
            Box::new(|chunk| {
                match &chunk.data[..] {
                    b"bad" => return Err(io::Error::other("bad chunk")),
                    b"die" => panic!("as the test wants"),
                    // The first ones take longest, so they are not the first to be done.
                    [b'0'..=b'9', ..] => {
                        let turns = u64::from(chunk.data[0] - b'0');
                        thread::sleep(Duration::from_millis(2 * turns));
                    }
                    _ => {}
                }
                let stop: &[u8] = if chunk.is_last { b"." } else { b"" };
                Ok([b"[", &chunk.data[..], b"]", stop].concat())
            })
        }

        fn header(&mut self) -> Vec<u8> {
            b"<".to_vec()
        }

        fn piece(&mut self, piece: Vec<u8>) -> Vec<u8> {
            piece
        }

        fn trailer(&mut self) -> Vec<u8> {
            b">".to_vec()
        }
    }

    /// Takes so many bytes and fails then.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn jobs(jobs: usize) -> NonZero<usize> {
        NonZero::new(jobs).unwrap()
    }

    fn brackets<W: Write>(number: usize, out: W) -> Chunked<Brackets, W> {
        Chunked::new(Brackets, jobs(number), out)
    }

    fn all(number: usize, data: &[u8]) -> io::Result<String> {
        let mut encoder = brackets(number, Vec::new());
        encoder.write_all(data)?;
        let bytes = encoder.finish()?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn chunks_come_out_in_the_order_they_came_in() {
        for number in [1, 2, 3, 8, usize::MAX] {
            assert_eq!(all(number, b"").unwrap(), "<[].>");
            assert_eq!(all(number, b"ab").unwrap(), "<[ab].>");
            assert_eq!(all(number, b"abc").unwrap(), "<[abc].>");
            assert_eq!(all(number, b"abcd").unwrap(), "<[abc][d].>");
            let data = [
                "9--", "8--", "7--", "6--", "5--", "4--", "3--", "2--", "1--", "0--",
            ];
            let expected = format!("<[{}].>", data.join("]["));
            assert_eq!(all(number, data.concat().as_bytes()).unwrap(), expected);
        }
    }

    #[test]
    fn how_writes_are_divided_does_not_matter() {
        let mut encoder = brackets(2, Vec::new());
        for part in [&b"a"[..], b"", b"bc", b"def", b"ghijk", b""] {
            encoder.write_all(part).unwrap();
            encoder.flush().unwrap();
        }
        assert_eq!(encoder.finish().unwrap(), b"<[abc][def][ghi][jk].>");
    }

    #[test]
    fn an_error_of_the_writer_is_the_error_of_write_or_finish() {
        let data = [b'x'; 300];
        for room in 0..500 {
            let mut encoder = brackets(3, Full(room));
            let written = encoder.write_all(&data);
            let failed = written.is_err();
            let error = written
                .and_then(|()| encoder.finish().map(|_| ()))
                .unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{room} {failed}");
        }
        let mut encoder = brackets(3, Full(502));
        encoder.write_all(&data).unwrap();
        assert!(encoder.finish().is_err());
        let mut encoder = brackets(3, Full(503));
        encoder.write_all(&data).unwrap();
        assert!(encoder.finish().is_ok());
    }

    #[test]
    fn an_error_of_a_thread_is_the_error_of_write_or_finish() {
        for data in ["bad", "abcbadabc", "badabcabcabcabcabcabcabc"] {
            for number in [1, 2, 8] {
                let error = all(number, data.as_bytes()).unwrap_err();
                assert_eq!(error.to_string(), "bad chunk", "{data}");
            }
        }
    }

    #[test]
    fn a_panic_of_a_thread_is_an_error() {
        for data in ["die", "abcdieabc", "diediediediedieabcabc"] {
            for number in [1, 2, 8] {
                let error = all(number, data.as_bytes()).unwrap_err();
                assert_eq!(
                    error.to_string(),
                    "a thread that compresses panicked",
                    "{data}"
                );
            }
        }
    }
}
