//! The signals that end boot.
//!
//! One handler runs for the life of the process. It passes the signal to every session, and each session
//! ends its guest. Then boot returns. If boot does not return, because it waits for a reader of its
//! output, this module ends the process. In both cases the exit code is that of the signal.

use std::fs;
use std::io;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

use crate::session::events::{Event, Sender};
use crate::session::terminal::Saved;
use crate::verdict::exit_code::{self, ExitCode};

/// The time in which the sessions must end their guests.
const SESSIONS: Duration = Duration::from_secs(5);

/// The time in which boot must do the rest, such as writing a report.
const REST: Duration = Duration::from_secs(1);

/// The signals of this process. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct Signals(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    received: Option<i32>,
    sessions: Vec<Session>,
    /// The number of the next session.
    next: u64,
}

#[derive(Debug)]
struct Session {
    number: u64,
    sender: Sender,
    terminal: Option<Saved>,
}

/// The registration of a session. Dropping it removes the session.
#[derive(Debug)]
pub struct Registered {
    signals: Signals,
    number: u64,
}

impl Signals {
    /// Handles SIGHUP, SIGINT, SIGQUIT and SIGTERM for the life of the process. A signal that was
    /// ignored when the process started, because of `nohup` for example, stays ignored.
    pub fn take_over() -> io::Result<Signals> {
        let mut incoming = incoming(&[SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
        let signals = Signals::default();
        let handler = signals.clone();
        thread::spawn(move || {
            if let Some(signal) = incoming.forever().next() {
                handler.end(signal);
            }
        });
        Ok(signals)
    }

    /// Registers a session. `sender` gets the signal, even if it came earlier. `terminal` gets its modes
    /// back if the session does not end in time.
    pub fn register(&self, sender: &Sender, terminal: Option<Saved>) -> Registered {
        let mut state = self.state();
        if let Some(signal) = state.received {
            tell(sender, signal);
        }
        let number = state.next;
        state.next += 1;
        state.sessions.push(Session {
            number,
            sender: sender.clone(),
            terminal,
        });
        Registered {
            signals: self.clone(),
            number,
        }
    }

    /// The exit code of the signal that has come, if one has.
    pub fn exit_code(&self) -> Option<ExitCode> {
        self.state().received.map(exit_code::of_signal)
    }

    /// Handles the first signal. Does not return.
    fn end(&self, signal: i32) {
        {
            let mut state = self.state();
            state.received = Some(signal);
            let sessions = state.sessions.iter();
            sessions.for_each(|session| tell(&session.sender, signal));
        }
        let sessions_end = Instant::now() + SESSIONS;
        while !self.state().sessions.is_empty() && Instant::now() < sessions_end {
            thread::sleep(Duration::from_millis(10));
        }
        // A stuck session cannot restore its terminal itself.
        let stuck = std::mem::take(&mut self.state().sessions);
        stuck
            .iter()
            .filter_map(|session| session.terminal.as_ref())
            .for_each(Saved::restore);
        if stuck.is_empty() {
            thread::sleep(REST);
        }
        process::exit(exit_code::of_signal(signal).into());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let number = self.number;
        let mut state = self.signals.state();
        state.sessions.retain(|session| session.number != number);
    }
}

/// Passes signals for a program on to the loop, each time they come.
pub fn pass_on(sender: &Sender) -> io::Result<()> {
    let mut incoming = incoming(&[SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2])?;
    let sender = sender.clone();
    thread::spawn(move || {
        incoming
            .forever()
            .for_each(|signal| sender.send(Event::Signal(signal)));
    });
    Ok(())
}

/// Handles those of `wanted` that were not ignored when the process started.
fn incoming(wanted: &[i32]) -> io::Result<signal_hook::iterator::Signals> {
    let ignored = ignored();
    let wanted = wanted
        .iter()
        .filter(|signal| (ignored >> (**signal - 1)) & 1 == 0);
    signal_hook::iterator::Signals::new(wanted)
}

/// Sends `signal` to a session. The thread waits if the session's queue is full.
fn tell(sender: &Sender, signal: i32) {
    let sender = sender.clone();
    thread::spawn(move || sender.send(Event::Signal(signal)));
}

/// The ignored signals, as a mask; its lowest bit is signal 1 (proc(5), `SigIgn`).
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn a_session_gets_a_signal_that_came_before_it() {
        let signals = Signals::default();
        signals.state().received = Some(15);
        let (sender, events) = Sender::channel(1);
        let _registered = signals.register(&sender, None);
        let (_, event) = events.recv_timeout(LONG).unwrap();
        assert!(matches!(event, Event::Signal(15)), "{event:?}");
        assert_eq!(signals.exit_code(), Some(143));
    }

    #[test]
    fn a_session_that_is_over_is_forgotten() {
        let signals = Signals::default();
        let (sender, _events) = Sender::channel(1);
        let [first, second] = [(); 2].map(|()| signals.register(&sender, None));
        drop(first);
        let numbers: Vec<_> = signals.state().sessions.iter().map(|s| s.number).collect();
        assert_eq!(numbers, [second.number]);
        drop(second);
        assert!(signals.state().sessions.is_empty());
        assert_eq!(signals.exit_code(), None);
    }
}
