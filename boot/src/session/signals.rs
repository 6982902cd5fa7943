//! The signals that ask boot to end: one handler for the life of the process, and one place that
//! decides what a signal does.
//!
//! A signal goes to every session that runs; each ends its guest. boot then returns by itself. If it
//! does not, because it is stuck in writing to something that nobody reads, it is ended here. Either
//! way its exit code is that of the signal.

use std::fs;
use std::io;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use crate::session::events::{Event, Sender};
use crate::session::terminal::Saved;
use crate::verdict::exit_code::{self, ExitCode};

/// How long the sessions have for ending their guests.
const SESSIONS: Duration = Duration::from_secs(5);

/// How long boot has for the rest: a summary, a report.
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

/// A session's place among those that a signal ends. It is given up when this is dropped.
#[derive(Debug)]
pub struct Registered {
    signals: Signals,
    number: u64,
}

impl Signals {
    /// Takes over SIGHUP, SIGINT, SIGQUIT and SIGTERM, for as long as the process lives. A signal that
    /// the process was started to ignore, by `nohup` for example, stays ignored.
    pub fn take_over() -> io::Result<Signals> {
        let ignored = ignored();
        let wanted = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];
        let wanted = wanted
            .iter()
            .filter(|signal| ignored >> (**signal - 1) & 1 == 0);
        let mut incoming = signal_hook::iterator::Signals::new(wanted)?;
        let signals = Signals::default();
        let handler = signals.clone();
        thread::spawn(move || {
            if let Some(signal) = incoming.forever().next() {
                handler.end(signal);
            }
        });
        Ok(signals)
    }

    /// Registers a session. `sender` gets the signal, even one that came before. `terminal` is given
    /// back its modes if boot has to be ended by force.
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

    /// Acts on the first signal. Does not return.
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
        // One that is stuck cannot give its terminal back itself.
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

/// Hands `signal` to a session whose queue may be full.
fn tell(sender: &Sender, signal: i32) {
    let sender = sender.clone();
    thread::spawn(move || sender.send(Event::Signal(signal)));
}

/// The signals that are ignored, as a mask whose lowest bit is signal 1 (proc(5), `SigIgn`).
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
