//! QEMU's control channel. It reports when the machine is ready, whether it is stopped, and why it was
//! shut down. (QEMU's docs/interop/qmp-spec and qapi/run-state.json.)
//!
//! boot needs a few of some hundred messages. The crate for the protocol compiles for a minute.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

/// The longest message, in bytes. The greeting, the longest one in use, has about 200.
const MESSAGE: u64 = 1 << 16;

/// The states of a machine that cannot continue (`RunState`).
const ERRORS: [&str; 4] = ["internal-error", "io-error", "guest-panicked", "watchdog"];

/// QEMU's reports so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The time at which QEMU had set up the machine.
    pub ready: Option<Instant>,
    /// The reason of a shutdown, a `ShutdownCause`: `guest-shutdown`, `guest-reset`, ...
    pub shutdown: Option<String>,
    /// Whether the guest's processors are stopped, but not by a shutdown or a command to QEMU.
    pub stopped: bool,
    /// The reason of the stop, a `RunState`: `internal-error`, `io-error`, ...
    pub run_state: Option<String>,
}

type OnStop = Arc<dyn Fn(bool) + Send + Sync>;

/// boot's end of the channel.
pub struct Qmp {
    socket: UnixStream,
    state: Arc<Mutex<State>>,
    /// The function to call at a stop. Removed before boot ends QEMU.
    on_stop: Arc<Mutex<Option<OnStop>>>,
    /// Receives nothing, and disconnects when QEMU closes the channel.
    closed: Receiver<()>,
}

/// QEMU's end, to be inherited by it and closed in boot.
#[derive(Debug)]
pub struct Peer(OwnedFd);

impl Peer {
    /// The descriptor that QEMU must inherit.
    pub fn descriptor(&self) -> &OwnedFd {
        &self.0
    }

    /// QEMU's arguments for it.
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
    /// A channel. Calls `on_stop` when the guest's processors stop, and when they run again.
    pub fn pair(on_stop: impl Fn(bool) + Send + Sync + 'static) -> io::Result<(Qmp, Peer)> {
        let (mut socket, theirs) = UnixStream::pair()?;
        // QEMU reads this when it is ready; boot need not wait for the greeting.
        socket.write_all(b"{\"execute\":\"qmp_capabilities\"}\n")?;
        let reader = socket.try_clone()?;
        let state = Arc::default();
        let on_stop: Arc<Mutex<Option<OnStop>>> = Arc::new(Mutex::new(Some(Arc::new(on_stop))));
        let (alive, closed) = channel();
        thread::spawn({
            let (state, on_stop) = (Arc::clone(&state), Arc::clone(&on_stop));
            move || read(reader, &state, &on_stop, alive)
        });
        let qmp = Qmp {
            socket,
            state,
            on_stop,
            closed,
        };
        Ok((qmp, Peer(theirs.into())))
    }

    /// QEMU's reports so far.
    pub fn state(&self) -> State {
        lock(&self.state).clone()
    }

    /// Tells QEMU to end, so that it completes its writes to files. Returns whether it ended within
    /// `patience`.
    pub fn quit(&self, patience: Duration) -> bool {
        lock(&self.on_stop).take();
        // Even if QEMU's main loop hangs, this must not take longer.
        let _ = self.socket.set_write_timeout(Some(patience));
        let asked = (&self.socket).write_all(b"{\"execute\":\"quit\"}\n");
        asked.is_err() || self.closed(patience)
    }

    /// Whether QEMU closes the channel, as it does when it ends, within `patience`. Then all its messages
    /// have been read.
    pub fn closed(&self, patience: Duration) -> bool {
        self.closed.recv_timeout(patience) == Err(RecvTimeoutError::Disconnected)
    }
}

impl Drop for Qmp {
    fn drop(&mut self) {
        // The thread has the socket open, too, and would wait forever without this.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(
    socket: UnixStream,
    state: &Mutex<State>,
    on_stop: &Mutex<Option<OnStop>>,
    _alive: mpsc::Sender<()>,
) {
    let mut socket = BufReader::new(socket);
    let mut line = Vec::new();
    while let Ok(1..) = socket.by_ref().take(MESSAGE).read_until(b'\n', &mut line) {
        // Ignore other messages.
        if let Ok(message) = serde_json::from_slice::<Message>(&line) {
            let (before, after) = {
                let mut state = lock(state);
                let before = state.stopped;
                state.take(message);
                (before, state.stopped)
            };
            if before != after {
                // Ask for the reason. If a debugger stopped the guest, the answer resets the state.
                let _ = socket
                    .get_ref()
                    .write_all(b"{\"execute\":\"query-status\"}\n");
                // Call it without the lock, because it may take long.
                let on_stop = lock(on_stop).clone();
                on_stop.inspect(|on_stop| on_stop(after));
            }
        }
        line.clear();
    }
}

#[derive(Deserialize)]
struct Message {
    /// The answer to a command.
    #[serde(rename = "return")]
    answer: Option<Answer>,
    event: Option<String>,
    #[serde(default)]
    data: Data,
}

#[derive(Deserialize)]
struct Answer {
    /// The answer to `query-status`, a `RunState`.
    status: Option<String>,
}

#[derive(Default, Deserialize)]
struct Data {
    reason: Option<String>,
}

impl State {
    fn take(&mut self, message: Message) {
        // QEMU answers only after it has set up the machine.
        if message.answer.is_some() && self.ready.is_none() {
            self.ready = Some(Instant::now());
        }
        if let Some(run_state) = message.answer.and_then(|answer| answer.status) {
            // `paused` and `debug` are no errors: a debugger or the monitor causes them.
            self.stopped &= ERRORS.contains(&run_state.as_str());
            self.run_state = Some(run_state).filter(|_| self.stopped);
        }
        match message.event.as_deref() {
            Some("SHUTDOWN") => {
                // The first event has the cause; one with `host-qmp-quit` may follow.
                self.shutdown = self.shutdown.take().or(message.data.reason);
                self.stopped = false;
            }
            Some("STOP") => self.stopped = self.shutdown.is_none(),
            Some("RESUME") => self.stopped = false,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    fn pair() -> (Qmp, Peer) {
        Qmp::pair(|_| {}).unwrap()
    }

    /// The state after QEMU has sent `messages` and closed the channel.
    fn after(messages: &[u8]) -> State {
        let (qmp, Peer(theirs)) = pair();
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
        assert!(state.ready.is_some() && !state.stopped);
    }

    #[test]
    fn a_guest_that_continues_is_not_stopped() {
        let state = after(b"{\"event\": \"STOP\"}\r\n{\"event\": \"RESUME\"}\r\n");
        assert_eq!(state, State::default());
    }

    #[test]
    fn a_stop_by_a_user_is_not_an_error() {
        for (run_state, in_trouble) in [
            ("paused", false),
            ("debug", false),
            ("internal-error", true),
        ] {
            let answer = format!(r#"{{"return": {{"status": "{run_state}", "running": false}}}}"#);
            let state = after(format!("{{\"event\": \"STOP\"}}\n{answer}\n").as_bytes());
            assert_eq!(state.stopped, in_trouble, "{run_state}");
            assert_eq!(state.run_state.is_some(), in_trouble, "{run_state}");
        }
    }

    #[test]
    fn a_stop_is_an_event_until_boot_ends_qemu() {
        let (sender, events) = channel();
        let send = move |stopped| sender.send(stopped).unwrap();
        let (qmp, Peer(theirs)) = Qmp::pair(send).unwrap();
        let mut qemu = UnixStream::from(theirs);
        qemu.write_all(b"{\"event\": \"STOP\"}\n").unwrap();
        assert!(events.recv_timeout(LONG).unwrap());
        assert!(!qmp.quit(Duration::from_millis(1)));
        qemu.write_all(b"{\"event\": \"RESUME\"}\n").unwrap();
        drop(qemu);
        assert!(qmp.closed(LONG));
        assert!(!qmp.state().stopped && events.try_recv().is_err());
    }

    #[test]
    fn invalid_messages_are_ignored() {
        let mut nonsense = vec![b'['; 3 << 16];
        nonsense.extend(b"\n\0\xff\n{\"event\": 7}\n{\"event\": \"STOP\"}\n");
        assert!(after(&nonsense).stopped);
    }

    #[test]
    fn commands_wait_for_qemu() {
        let (qmp, Peer(theirs)) = pair();
        let qemu = thread::spawn(move || {
            let mut lines = BufReader::new(UnixStream::from(theirs)).lines();
            [(); 2].map(|()| lines.next().unwrap().unwrap())
        });
        assert!(qmp.quit(LONG));
        let expected = [r#"{"execute":"qmp_capabilities"}"#, r#"{"execute":"quit"}"#];
        assert_eq!(qemu.join().unwrap(), expected);
    }

    #[test]
    fn the_wait_for_a_silent_qemu_is_limited() {
        let (qmp, peer) = pair();
        assert!(!qmp.quit(Duration::from_millis(10)));
        drop(peer);
        assert!(qmp.closed(LONG));
    }

    #[test]
    fn the_arguments_have_the_descriptor() {
        let (_qmp, peer) = pair();
        let fd = peer.0.as_raw_fd();
        assert_eq!(peer.arguments()[1], format!("socket,id=qmp,fd={fd}"));
    }
}
