//! The streams of a program that is PID 1. Nobody in the guest can pass them to boot's channel, so each one is a device
//! of the guest: a console of virtio, or a terminal of user-mode Linux.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rustix::net::sockopt::set_socket_send_buffer_size;

use crate::program::channel::{Escapes, Event, Streams, Tell};
use crate::streams::Patient;

/// The most that is read at once, in bytes.
const PIECE: usize = 64 << 10;

/// The size of a socket's buffer. Linux may allow less.
const BUFFER: usize = 4 << 20;

/// A device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Device {
    /// Which of the program's streams it is. A terminal may be several.
    pub streams: [bool; 3],
}

/// The devices of a program if these of the host's streams are terminals. Its stdin is empty unless it is a terminal:
/// user-mode Linux loses input that no program reads soon enough, and its terminals cannot end.
pub fn devices(terminals: [bool; 3]) -> Vec<Device> {
    let terminal = terminals.contains(&true).then_some(terminals);
    let outputs = [[false, true, false], [false, false, true]];
    let others = outputs
        .into_iter()
        .zip(&terminals[1..])
        .filter(|(_, is_terminal)| !**is_terminal)
        .map(|(streams, _)| streams);
    terminal
        .into_iter()
        .chain(others)
        .map(|streams| Device { streams })
        .collect()
}

/// The paths of the program's streams in the guest; `path` is that of a device by its place in the list.
pub fn paths(devices: &[Device], path: impl Fn(usize) -> String) -> [String; 3] {
    [0, 1, 2].map(|stream| {
        let place = devices.iter().position(|device| device.streams[stream]);
        place.map_or("/dev/null".into(), &path)
    })
}

impl Device {
    /// The stream of the host that gets its output.
    fn output(self) -> usize {
        let of_device = |stream: &usize| self.streams[*stream];
        [1, 2].into_iter().find(of_device).unwrap_or(0)
    }

    /// Connects it with the `streams`, and gives the end for the guest. Calls `tell` with each event.
    pub(crate) fn connect(self, streams: &Streams, tell: &Tell) -> io::Result<OwnedFd> {
        let (own, theirs) = UnixStream::pair()?;
        let stream = self.output();
        let output = streams.outputs[stream].try_clone()?;
        // QEMU drops what finds no room in the socket, and what user-mode Linux still has at a panic is lost. So boot reads
        // everything at once, however slow the reader of `output` is.
        let _ = set_socket_send_buffer_size(&theirs, BUFFER);
        let (sender, pieces) = channel();
        let reader = own.try_clone()?;
        thread::spawn(move || read(reader, &sender));
        let telling = Arc::clone(tell);
        thread::spawn(move || {
            write(output, &pieces, stream, &telling);
            telling(Event::Closed);
        });
        if self.streams[0] {
            let (input, telling) = (streams.input.try_clone()?, Arc::clone(tell));
            thread::spawn(move || pass_keys(input, own, &telling));
        }
        Ok(theirs.into())
    }
}

/// Reads what the program writes, until the guest ends.
fn read(mut device: UnixStream, pieces: &Sender<Vec<u8>>) {
    let mut buffer = vec![0; PIECE];
    loop {
        match device.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(length @ 1..) if pieces.send(buffer[..length].to_vec()).is_ok() => {}
            // The guest has ended, or nobody reads this output any more.
            _ => return,
        }
    }
}

/// Writes what was read.
fn write(output: File, pieces: &Receiver<Vec<u8>>, stream: usize, tell: &Tell) {
    let mut output = Patient(output);
    for piece in pieces {
        tell(Event::Wrote);
        match output.write_all(&piece) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return tell(Event::Unread);
            }
            Err(error) => {
                let errno = error.raw_os_error().unwrap_or(0);
                return tell(Event::Unwritten(stream as u8, errno));
            }
        }
    }
}

/// Passes the keys of the user's terminal.
fn pass_keys(keys: File, mut device: UnixStream, tell: &Tell) {
    let mut keys = Patient(keys);
    let mut buffer = [0; 1024];
    let mut escapes = Escapes::default();
    while let Ok(length @ 1..) = keys.read(&mut buffer) {
        let keys = &buffer[..length];
        if escapes.complete(keys) {
            return tell(Event::Escaped);
        }
        if device.write_all(keys).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn streams_share_a_terminal() {
        const NULL: &str = "/dev/null";
        for (terminals, expected) in [
            ([false, false, false], [NULL, "0", "1"]),
            ([true, true, true], ["0", "0", "0"]),
            ([true, false, false], ["0", "1", "2"]),
            ([false, true, false], [NULL, "0", "1"]),
            ([true, false, true], ["0", "1", "0"]),
        ] {
            let devices = devices(terminals);
            assert_eq!(paths(&devices, |place| place.to_string()), expected);
            // Only stdin as a terminal: what it echoes goes there.
            let only_input = terminals == [true, false, false];
            assert_eq!(devices[0].output() == 0, only_input);
        }
    }

    #[test]
    fn output_arrives_before_the_end() {
        let (stdout, mut reader) = UnixStream::pair().unwrap();
        let null = || File::create("/dev/null").unwrap();
        let streams = Streams {
            is_terminal: false,
            input: null(),
            outputs: [null(), File::from(OwnedFd::from(stdout)), null()],
        };
        let (sender, events) = channel();
        let tell: Tell = Arc::new(move |event| sender.send(event).unwrap_or(()));
        let device = devices([false; 3])[0];
        let guest = device.connect(&streams, &tell).unwrap();
        drop(streams);
        let mut guest = UnixStream::from(guest);
        guest.write_all(b"text").unwrap();
        drop(guest);
        let wait = || events.recv_timeout(Duration::from_secs(30)).unwrap();
        assert_eq!([wait(), wait()], [Event::Wrote, Event::Closed]);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");

        // Nobody reads.
        let (stdout, reader) = UnixStream::pair().unwrap();
        drop(reader);
        let streams = Streams {
            is_terminal: false,
            input: null(),
            outputs: [null(), File::from(OwnedFd::from(stdout)), null()],
        };
        let guest = device.connect(&streams, &tell).unwrap();
        UnixStream::from(guest).write_all(b"text").unwrap();
        assert_eq!([wait(), wait()], [Event::Wrote, Event::Unread]);
    }
}
