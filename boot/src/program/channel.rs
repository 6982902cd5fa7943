//! boot's end of the channel to the agent: the program's streams and signals.
//!
//! A thread reads frames. Each of the program's outputs has a thread that writes, because a reader of one may be slow.
//! stdin has a thread that reads: input.rs.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use agent::protocol::{
    CLOSE, CREDIT, DATA, EXITED, FAILED, FILE, GREETING, HEADER, HELLO, PAYLOAD, SIGNAL, SIZE,
    START, STEPS, WINDOW, header, number, parse_header,
};

use crate::program::input::Input;
use crate::streams::Patient;

/// What happens to the program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// The agent runs.
    Ready,
    /// The program wrote something.
    Wrote,
    /// A step failed: its place, and the errno.
    Failed(usize, i32),
    /// The program ended with this wait(2) status, and everything that it wrote was written.
    Ended(i32),
    /// The user typed Ctrl-] three times.
    Escaped,
    /// The reader of a stream of a program that is PID 1 closed it.
    Unread,
    /// The program's stream could not be written, for this errno.
    Unwritten(u8, i32),
    /// The agent speaks another protocol.
    Foreign,
    /// The channel, or a device that is a stream of the program, is closed. Its last event.
    Closed,
}

/// The streams of the host that become the program's. Each is a file with the flags of its kind.
#[derive(Debug)]
pub struct Streams {
    /// Whether its stdin is a terminal.
    pub is_terminal: bool,
    /// Its stdin.
    pub input: File,
    /// Its terminal, if only stdin is one, its stdout and its stderr.
    pub outputs: [File; 3],
}

/// What is called with each event.
pub(crate) type Tell = Arc<dyn Fn(Event) + Send + Sync>;

/// Ctrl-]
const ESCAPE: u8 = 0x1d;

/// The number of Ctrl-] that the user has just typed.
#[derive(Debug, Default)]
pub(crate) struct Escapes(u8);

impl Escapes {
    /// Takes `keys`. True if the user has typed three Ctrl-], one after the other.
    pub(crate) fn complete(&mut self, keys: &[u8]) -> bool {
        for key in keys {
            self.0 = if *key == ESCAPE { self.0 + 1 } else { 0 };
            if self.0 == 3 {
                return true;
            }
        }
        false
    }
}

/// The channel. Clones share it.
#[derive(Clone, Debug)]
pub struct Channel(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    writer: Mutex<UnixStream>,
    input: Input,
}

impl Channel {
    /// A channel, and the end for the guest. The device of the channel holds `device` bytes that the agent has not read. If
    /// there is a `directory`, large input goes through a file there. When the agent is ready, it gets the `steps`. Calls
    /// `tell` with each event.
    pub fn open(
        steps: Vec<u8>,
        device: usize,
        directory: Option<&'static Path>,
        streams: Streams,
        tell: Tell,
    ) -> io::Result<(Channel, OwnedFd)> {
        let (own, theirs) = UnixStream::pair()?;
        let reader = own.try_clone()?;
        let channel = Channel(Arc::new(Shared {
            writer: Mutex::new(own),
            input: Input::new(device, directory),
        }));
        let reading = channel.clone();
        thread::spawn(move || {
            // An error means that the guest has ended. The console tells why.
            let _ = reading.read(reader, steps, streams, &tell);
            reading.0.input.end();
            tell(Event::Closed);
        });
        Ok((channel, theirs.into()))
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: i32) {
        if let Ok(number) = u8::try_from(signal) {
            self.send(SIGNAL, number, &[]);
        }
    }

    /// Gives the program's terminal a size.
    pub fn resize(&self, rows: u16, columns: u16) {
        let [a, b] = rows.to_le_bytes();
        let [c, d] = columns.to_le_bytes();
        self.send(SIZE, 0, &[a, b, c, d]);
    }

    /// Sends a frame. A failure means that the guest has ended.
    pub(super) fn send(&self, kind: u8, number: u8, payload: &[u8]) {
        let mut frame = header(kind, number, payload.len()).to_vec();
        frame.extend_from_slice(payload);
        let _ = lock(&self.0.writer).write_all(&frame);
    }

    fn read(
        &self,
        reader: UnixStream,
        steps: Vec<u8>,
        streams: Streams,
        tell: &Tell,
    ) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(2 * PAYLOAD, reader);
        let (kind, _, greeting) = read_frame(&mut reader)?;
        if (kind, greeting.as_slice()) != (HELLO, GREETING) {
            tell(Event::Foreign);
            return Ok(());
        }
        tell(Event::Ready);
        self.send(START, 0, &(steps.len() as u32).to_le_bytes());
        let Streams {
            is_terminal,
            input,
            outputs,
        } = streams;
        let writers = outputs
            .into_iter()
            .zip(0..)
            .map(|(file, number)| self.write_to(file, number, tell));
        let mut writers: Vec<_> = writers.collect();
        let (this, tell_keys) = (self.clone(), Arc::clone(tell));
        thread::spawn(move || {
            let own = &this.0.input;
            own.send_all(&this, STEPS, &steps);
            own.pass(&this, input, is_terminal, &tell_keys);
        });
        loop {
            let (kind, stream, payload) = read_frame(&mut reader)?;
            match kind {
                DATA => {
                    tell(Event::Wrote);
                    if let Some((sender, _)) = writers.get(usize::from(stream)) {
                        let _ = sender.send(payload);
                    }
                }
                CREDIT => self.0.input.credit(number(&payload, 0) as usize),
                FILE => self.0.input.answered(stream == 1),
                CLOSE if stream == 0 => self.0.input.end(),
                FAILED => {
                    let (place, errno) = (number(&payload, 0), number(&payload, 4));
                    tell(Event::Failed(place as usize, errno as i32));
                    return Ok(());
                }
                EXITED => {
                    for (sender, writer) in writers.drain(..) {
                        drop(sender);
                        let _ = writer.join();
                    }
                    tell(Event::Ended(number(&payload, 0) as i32));
                    return Ok(());
                }
                _ => {}
            }
        }
    }

    /// A thread that writes the program's stream `number` to `file`, and gives credit for what is written.
    fn write_to(&self, file: File, number: u8, tell: &Tell) -> (Sender<Vec<u8>>, JoinHandle<()>) {
        let (this, tell) = (self.clone(), Arc::clone(tell));
        let (sender, data): (_, Receiver<Vec<u8>>) = channel();
        let thread = thread::spawn(move || {
            let mut file = Patient(file);
            let mut written = 0;
            for bytes in data {
                match file.write_all(&bytes) {
                    Ok(()) => {}
                    // The program's next write gets SIGPIPE, as it would without a guest.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                        return this.send(CLOSE, number, &[]);
                    }
                    Err(error) => {
                        return tell(Event::Unwritten(number, error.raw_os_error().unwrap_or(0)));
                    }
                }
                written += bytes.len();
                // Few frames, because a device may have little room for them.
                if written >= WINDOW / 4 {
                    this.send(CREDIT, number, &(written as u32).to_le_bytes());
                    written = 0;
                }
            }
        });
        (sender, thread)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The kind, the number and the payload of the next frame.
fn read_frame(reader: &mut impl Read) -> io::Result<(u8, u8, Vec<u8>)> {
    let mut head = [0; HEADER];
    reader.read_exact(&mut head)?;
    let (kind, number, length) = parse_header(&head);
    if length > PAYLOAD {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut payload = vec![0; length];
    reader.read_exact(&mut payload)?;
    Ok((kind, number, payload))
}

#[cfg(test)]
mod tests;
