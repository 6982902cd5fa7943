//! What QEMU says on its control channel: when the machine is ready, whether it is stopped, and why
//! it was shut down. (QEMU's docs/interop/qmp-spec and qapi/run-state.json.)
//!
//! Three messages of a protocol of some hundreds do not justify the crate for it, which compiles
//! for a minute.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::{FdFlags, fcntl_setfd};
use serde::Deserialize;

/// How much of a message is taken, in bytes. The greeting, the longest one, has some 200.
const MESSAGE: u64 = 1 << 16;

/// What QEMU has said so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// When it had set up the machine.
    pub ready: Option<Instant>,
    /// Why it was shut down, as `ShutdownCause` has it: `guest-shutdown`, `guest-reset`, ...
    pub shutdown: Option<String>,
    /// Whether the guest's processors stand still: in a debugger, or after an error of QEMU's.
    pub stopped: bool,
}

/// boot's end of the channel.
#[derive(Debug)]
pub struct Qmp {
    socket: UnixStream,
    state: Arc<Mutex<State>>,
    /// Nothing ever comes; the sender is gone when QEMU is.
    closed: Receiver<()>,
}

/// QEMU's end, to be inherited by it and closed in boot.
#[derive(Debug)]
pub struct Peer(OwnedFd);

impl Peer {
    /// What QEMU has to be told so that it uses it.
    pub fn arguments(&self) -> [String; 4] {
        let fd = self.0.as_raw_fd();
        [
            "-chardev".into(),
            format!("socket,id=qmp,fd={fd}"),
            "-mon".into(),
            "chardev=qmp,mode=control".into(),
        ]
    }
}

impl Qmp {
    /// A channel. Whatever process is started while the peer exists inherits it.
    pub fn pair() -> io::Result<(Qmp, Peer)> {
        let (mut socket, theirs) = UnixStream::pair()?;
        let theirs = OwnedFd::from(theirs);
        fcntl_setfd(&theirs, FdFlags::empty())?;
        // It waits in the socket until QEMU comes to read it: no round trip, no delay.
        socket.write_all(b"{\"execute\":\"qmp_capabilities\"}\n")?;
        let reader = socket.try_clone()?;
        let state = Arc::default();
        let (alive, closed) = channel();
        thread::spawn({
            let state = Arc::clone(&state);
            move || read(reader, &state, alive)
        });
        let qmp = Qmp {
            socket,
            state,
            closed,
        };
        Ok((qmp, Peer(theirs)))
    }

    /// What QEMU has said so far.
    pub fn state(&self) -> State {
        let state = self.state.lock();
        state.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks QEMU to end, so that it can put its files in order. Whether it has, in that time.
    pub fn quit(&self, patience: Duration) -> bool {
        // Not even if QEMU's main loop hangs may this take longer.
        let _ = self.socket.set_write_timeout(Some(patience));
        let asked = (&self.socket).write_all(b"{\"execute\":\"quit\"}\n");
        asked.is_err() || self.closed(patience)
    }

    /// Whether QEMU has closed the channel, which it does when it ends, in that time. All that it
    /// had to say has then been read.
    pub fn closed(&self, patience: Duration) -> bool {
        self.closed.recv_timeout(patience) == Err(RecvTimeoutError::Disconnected)
    }
}

impl Drop for Qmp {
    fn drop(&mut self) {
        // The thread has the socket open, too: without this it would wait for ever.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

fn read(socket: UnixStream, state: &Mutex<State>, _alive: Sender<()>) {
    let mut socket = BufReader::new(socket);
    let mut line = Vec::new();
    while let Ok(1..) = socket.by_ref().take(MESSAGE).read_until(b'\n', &mut line) {
        // A message that is not understood is none of the three.
        if let Ok(message) = serde_json::from_slice::<Message>(&line) {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.take(message);
        }
        line.clear();
    }
}

#[derive(Deserialize)]
struct Message {
    /// The answer to a command.
    #[serde(rename = "return")]
    answer: Option<serde_json::Value>,
    event: Option<String>,
    #[serde(default)]
    data: Data,
}

#[derive(Default, Deserialize)]
struct Data {
    reason: Option<String>,
}

impl State {
    fn take(&mut self, message: Message) {
        // QEMU answers only once it has set up everything.
        if message.answer.is_some() && self.ready.is_none() {
            self.ready = Some(Instant::now());
        }
        match message.event.as_deref() {
            // The first is the cause; `host-qmp-quit` may follow.
            Some("SHUTDOWN") if self.shutdown.is_none() => self.shutdown = message.data.reason,
            Some("STOP") => self.stopped = true,
            Some("RESUME") => self.stopped = false,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    /// A channel on which QEMU has said `messages` and is gone.
    fn after(messages: &[u8]) -> State {
        let (qmp, Peer(theirs)) = Qmp::pair().unwrap();
        let mut qemu = UnixStream::from(theirs);
        qemu.write_all(messages).unwrap();
        drop(qemu);
        assert!(qmp.closed(LONG));
        qmp.state()
    }

    #[test]
    fn the_first_shutdown_is_the_cause() {
        // From QEMU 7.2.22.
        let state = after(
            br#"{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian"}, "capabilities": ["oob"]}}
{"return": {}}
{"timestamp": {"seconds": 1795412133, "microseconds": 253425}, "event": "STOP"}
{"timestamp": {"seconds": 1795412133, "microseconds": 253425}, "event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}
{"timestamp": {"seconds": 1795412134, "microseconds": 253425}, "event": "SHUTDOWN", "data": {"guest": false, "reason": "host-qmp-quit"}}
"#,
        );
        assert_eq!(state.shutdown.as_deref(), Some("guest-reset"));
        assert!(state.ready.is_some() && state.stopped);
    }

    #[test]
    fn a_guest_that_goes_on_is_not_stopped() {
        let state = after(b"{\"event\": \"STOP\"}\r\n{\"event\": \"RESUME\"}\r\n");
        assert_eq!(state, State::default());
    }

    #[test]
    fn nonsense_is_nothing() {
        let mut nonsense = vec![b'['; 3 << 16];
        nonsense.extend(b"\n\0\xff\n{\"event\": 7}\n{\"event\": \"STOP\"}\n");
        assert!(after(&nonsense).stopped);
    }

    #[test]
    fn commands_wait_for_qemu() {
        let (qmp, Peer(theirs)) = Qmp::pair().unwrap();
        let qemu = thread::spawn(move || {
            let mut lines = BufReader::new(UnixStream::from(theirs)).lines();
            [(); 2].map(|()| lines.next().unwrap().unwrap())
        });
        assert!(qmp.quit(LONG));
        let expected = [r#"{"execute":"qmp_capabilities"}"#, r#"{"execute":"quit"}"#];
        assert_eq!(qemu.join().unwrap(), expected);
    }

    #[test]
    fn a_qemu_that_does_not_answer_is_not_waited_for() {
        let (qmp, peer) = Qmp::pair().unwrap();
        assert!(!qmp.quit(Duration::from_millis(10)));
        drop(peer);
        assert!(qmp.closed(LONG));
    }

    #[test]
    fn qemu_is_told_the_descriptor() {
        let (_qmp, peer) = Qmp::pair().unwrap();
        let fd = peer.0.as_raw_fd();
        assert_eq!(peer.arguments()[1], format!("socket,id=qmp,fd={fd}"));
    }
}
