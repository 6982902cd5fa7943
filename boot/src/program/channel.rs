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
mod tests {
    use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
    use std::path::PathBuf;
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::{Duration, Instant};

    use agent::protocol::{SEGMENT, Segment};

    use super::*;
    use crate::machine::user_mode::SHARED_MEMORY;

    const LONG: Duration = Duration::from_secs(30);

    /// A stream of the host: boot's file, and the other end.
    fn stream() -> (File, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (File::from(OwnedFd::from(ours)), theirs)
    }

    fn frame(kind: u8, number: u8, payload: &[u8]) -> Vec<u8> {
        [&header(kind, number, payload.len()), payload].concat()
    }

    fn credit_frame(credit: u32) -> Vec<u8> {
        frame(CREDIT, 0, &credit.to_le_bytes())
    }

    #[test]
    fn no_more_is_sent_than_the_agent_has_room_for() {
        let (input, mut user) = stream();
        let (stdout, mut reader) = stream();
        let (stderr, no_reader) = stream();
        drop(no_reader);
        let (tell, events) = channel();
        let streams = Streams {
            is_terminal: false,
            input,
            outputs: [stream().0, stdout, stderr],
        };
        let tell: Tell = Arc::new(move |event| tell.send(event).unwrap_or(()));
        let (_channel, agent) =
            Channel::open(vec![7; 10], HEADER + 6, None, streams, tell).unwrap();
        let mut agent = UnixStream::from(agent);
        agent.set_read_timeout(Some(LONG)).unwrap();
        user.write_all(b"abcdefgh").unwrap();

        agent.write_all(&frame(HELLO, 0, GREETING)).unwrap();
        assert_eq!(events.recv_timeout(LONG), Ok(Event::Ready));
        assert_eq!(
            read_frame(&mut agent).unwrap(),
            (START, 0, vec![10, 0, 0, 0])
        );
        assert_eq!(read_frame(&mut agent).unwrap(), (STEPS, 0, vec![7; 6]));
        agent.write_all(&credit_frame(6)).unwrap();
        assert_eq!(read_frame(&mut agent).unwrap(), (STEPS, 0, vec![7; 4]));
        for (credit, data) in [(4, &b"abcdef"[..]), (6, b"gh")] {
            agent.write_all(&credit_frame(credit)).unwrap();
            assert_eq!(read_frame(&mut agent).unwrap(), (DATA, 0, data.to_vec()));
        }
        agent.write_all(&credit_frame(2)).unwrap();
        drop(user);
        assert_eq!(read_frame(&mut agent).unwrap(), (CLOSE, 0, vec![]));

        // Nobody reads stderr. Credit for stdout comes for a quarter of the window at a time.
        agent.write_all(&frame(DATA, 2, b"x")).unwrap();
        assert_eq!(read_frame(&mut agent).unwrap(), (CLOSE, 2, vec![]));
        agent.write_all(&frame(DATA, 1, &[b'y'; PAYLOAD])).unwrap();
        let mut output = vec![0; PAYLOAD];
        reader.read_exact(&mut output).unwrap();
        assert!(output.iter().all(|byte| *byte == b'y'));
        let credit = (PAYLOAD as u32).to_le_bytes().to_vec();
        assert_eq!(read_frame(&mut agent).unwrap(), (CREDIT, 1, credit));

        // The end comes after the last output.
        agent.write_all(&frame(DATA, 1, b"last")).unwrap();
        agent
            .write_all(&frame(EXITED, 0, &(7_u32 << 8).to_le_bytes()))
            .unwrap();
        let told: Vec<_> = events.iter().take(5).collect();
        let wrote = Event::Wrote;
        assert_eq!(
            told,
            [wrote, wrote, wrote, Event::Ended(7 << 8), Event::Closed]
        );
        let mut output = String::new();
        reader.read_to_string(&mut output).unwrap();
        assert_eq!(output, "last");
    }

    /// Waits until `is_true`.
    fn wait_until(is_true: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_true() {
            assert!(started.elapsed() < LONG);
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn large_input_goes_through_a_file() {
        for can_open in [true, false] {
            let (input, mut user) = stream();
            let streams = Streams {
                is_terminal: false,
                input,
                outputs: [stream().0, stream().0, stream().0],
            };
            let directory = Path::new(SHARED_MEMORY);
            let (_channel, agent) =
                Channel::open(vec![], 100, Some(directory), streams, Arc::new(|_| ())).unwrap();
            let mut agent = UnixStream::from(agent);
            agent.set_read_timeout(Some(LONG)).unwrap();
            user.write_all(&[b'x'; 1000]).unwrap();
            agent.write_all(&frame(HELLO, 0, GREETING)).unwrap();
            assert_eq!(read_frame(&mut agent).unwrap().0, START);
            let in_device = 100 - HEADER;
            assert_eq!(
                read_frame(&mut agent).unwrap(),
                (DATA, 0, vec![b'x'; in_device])
            );
            let (kind, _, names) = read_frame(&mut agent).unwrap();
            assert_eq!(kind, FILE);
            let names = String::from_utf8(names).unwrap();
            let names: PathBuf = names.split_terminator('\0').collect();
            let file = File::open(&names).unwrap();
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);

            agent
                .write_all(&frame(FILE, u8::from(can_open), &[]))
                .unwrap();
            wait_until(|| !names.exists());
            agent.write_all(&credit_frame(in_device as u32)).unwrap();
            let next = read_frame(&mut agent).unwrap();
            if !can_open {
                assert_eq!(next, (DATA, 0, vec![b'x'; in_device]));
                continue;
            }
            let segment = Segment {
                number: 0,
                length: 1000 - in_device,
            };
            assert_eq!(next, (SEGMENT, 0, segment.encode().to_vec()));
            let mut data = vec![0; segment.length];
            file.read_exact_at(&mut data, segment.place()).unwrap();
            assert!(data.iter().all(|byte| *byte == b'x'));
            // The memory is free when the agent has passed the data on, and all of it at the end.
            agent
                .write_all(&credit_frame(segment.length as u32))
                .unwrap();
            wait_until(|| file.metadata().unwrap().blocks() == 0);
            drop(user);
            assert_eq!(read_frame(&mut agent).unwrap(), (CLOSE, 0, vec![]));
        }
    }

    #[test]
    fn another_program_than_the_agent_is_foreign() {
        let (tell, events) = channel();
        let streams = Streams {
            is_terminal: false,
            input: stream().0,
            outputs: [stream().0, stream().0, stream().0],
        };
        let tell: Tell = Arc::new(move |event| tell.send(event).unwrap_or(()));
        let (channel, agent) = Channel::open(vec![], 9, None, streams, tell).unwrap();
        let mut agent = UnixStream::from(agent);
        agent
            .write_all(&frame(HELLO, 0, b"another agent 9"))
            .unwrap();
        assert_eq!(events.recv_timeout(LONG), Ok(Event::Foreign));
        assert_eq!(events.recv_timeout(LONG), Ok(Event::Closed));
        drop(channel);
        assert_eq!(
            events.recv_timeout(LONG),
            Err(RecvTimeoutError::Disconnected)
        );
    }
}
