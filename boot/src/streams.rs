//! Standard streams that always wait.
//!
//! boot shares its standard streams with other processes. If one of these makes a stream non-blocking, as
//! ssh and Node.js do, read(2) and write(2) fail with EAGAIN instead of waiting.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// A stream whose reads and writes wait until they succeed.
#[derive(Debug)]
pub struct Patient<S>(pub S);

impl<S: AsFd> Patient<S> {
    fn wait(&self, flags: PollFlags) -> io::Result<()> {
        match poll(&mut [PollFd::new(&self.0, flags)], None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl<S: Read + AsFd> Read for Patient<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait(PollFlags::IN)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

impl<S: Write + AsFd> Write for Patient<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait(PollFlags::OUT)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Prints a line on stderr. Ignores errors: stderr may be closed.
pub fn say(line: &str) {
    // Use one write, so that the output of other threads and processes does not interrupt the line.
    let _ = Patient(io::stderr()).write_all(format!("{line}\n").as_bytes());
}

/// Prints results on stdout. It is no error if nobody reads them.
pub fn print(text: &str) -> Result<()> {
    match Patient(io::stdout()).write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed.context("stdout: cannot print the results"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_non_blocking_stream_waits() {
        let (writer, reader) = UnixStream::pair().unwrap();
        writer.set_nonblocking(true).unwrap();
        reader.set_nonblocking(true).unwrap();
        // More than the socket holds.
        let sent = vec![b'x'; 1 << 20];
        let received = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            let mut received = Vec::new();
            Patient(reader).read_to_end(&mut received).unwrap();
            received
        });
        Patient(&writer).write_all(&sent).unwrap();
        drop(writer);
        assert!(received.join().unwrap() == sent);
    }
}
