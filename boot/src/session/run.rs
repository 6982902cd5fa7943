//! The loop of a boot: it handles the events until the boot ends.
//!
//! The loop never writes the guest's output itself: a terminal or a pipe that is not read would stop it,
//! and no time limit would work.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use signal_hook::consts::SIGWINCH;

use crate::console::display::Display;
use crate::machine::process::{Process, Streams};
use crate::machine::qmp::State;
use crate::machine::terminal::Terminal;
use crate::machine::threads::Threads;
use crate::machine::vm::{Runner, Vm};
use crate::profile::timeline::Timeline;
use crate::session::events::{self, Event, Sender};
use crate::session::settle::Look;
use crate::session::signals::Signals;
use crate::session::stderr::RunnerStderr;
use crate::session::terminal::{self, RawMode};
use crate::session::watch::Watch;
use crate::streams::say;
use crate::verdict::Verdict;
use crate::verdict::judge::{Ending, Goal, RunnerEnd};

/// The number of events that may wait for the loop. When there are more, the guest has to wait.
pub(super) const QUEUE: usize = 16;

/// The time that QEMU may take to end after it closed its streams, and to close them after boot
/// killed it.
const GRACE: Duration = Duration::from_secs(1);

/// The destinations of the guest's output.
#[derive(Debug, Default)]
pub struct Output<'a> {
    /// Whether it is not shown on stdout, and QEMU's messages not on stderr.
    pub hidden: bool,
    /// A file that gets it unchanged.
    pub log: Option<File>,
    /// Whether each line is shown with the time since the start.
    pub timestamps: bool,
    /// A record of its lines and their times.
    pub record: Option<&'a mut Timeline>,
}

/// Boots `vm` and watches it until it reaches `goal` or fails. In an `interactive` session the guest
/// gets stdin, a terminal.
///
/// One of the `signals` ends the boot. An error means that the host failed, not the guest.
pub fn run(
    vm: &Vm,
    goal: Goal,
    output: Output<'_>,
    interactive: bool,
    signals: &Signals,
) -> Result<Verdict> {
    let raw = interactive
        .then(|| RawMode::enter(io::stdin(), terminal::Output::Cooked))
        .transpose()
        .context("cannot set up the terminal")?;
    let (sender, events) = Sender::channel(QUEUE);
    let registered = signals.register(&sender, raw.as_ref().map(RawMode::saved));
    let stdout = if output.hidden {
        File::create("/dev/null").context("cannot use /dev/null")?
    } else {
        events::unbuffered_stdout().context("cannot use stdout")?
    };

    let started = Instant::now();
    let mut guest = Process::start(vm, interactive, &[], {
        let sender = sender.clone();
        move |stopped| sender.send(Event::Stopped(stopped))
    })?;
    let streams = guest.streams().context("cannot use the guest's streams")?;
    let Streams {
        keyboard,
        console,
        stderr,
        terminal,
    } = streams;
    let unread = console.as_fd().try_clone_to_owned();
    let unread = unread.context("cannot use the guest's console")?;
    if let Some(terminal) = terminal {
        follow_size(terminal).context("cannot follow the terminal's size")?;
    }
    if let Some(keyboard) = &keyboard {
        // If the guest does not read its keys, they are lost, as on a real serial line. Otherwise boot
        // would wait and never see Ctrl-C.
        rustix::io::ioctl_fionbio(keyboard, true).context("cannot set up the guest's keyboard")?;
    }

    // In an interactive session, programs of the guest need their escape sequences.
    let harmless = stdout.is_terminal() && !interactive;
    let display = Display::new(output.timestamps.then_some(started), harmless);
    if !stdout.is_terminal() && !output.hidden {
        let stdout = stdout.try_clone().context("cannot use stdout")?;
        let sender = sender.clone();
        thread::spawn(move || events::from_stdout(stdout, &sender));
    }
    thread::spawn({
        let sender = sender.clone();
        move || events::from_console(console, stdout, display, output.log, &sender)
    });
    if interactive {
        let sender = sender.clone();
        thread::spawn(move || events::from_keyboard(&sender));
    }
    thread::spawn(move || events::from_stderr(stderr, &sender));

    let watch = Watch::new(goal, started);
    let mut session = Session {
        watch,
        keyboard,
        // User-mode Linux always writes what it checks.
        runner_stderr: RunnerStderr::new(output.hidden || matches!(vm.runner, Runner::UserMode(_))),
        open: 2,
        hint: interactive,
        record: output.record,
        started,
    };
    let mut threads = None;
    let look = || {
        let threads = threads.get_or_insert_with(|| Threads::of(guest.pid()));
        let began = Instant::now();
        Some(Look {
            began,
            threads: threads.look()?,
            unread: rustix::io::ioctl_fionread(&unread).is_ok_and(|bytes| bytes > 0),
            ended: Instant::now(),
        })
    };
    let ending = session.until_ending(&events, look)?;
    let ended = Instant::now();
    let (status, said) = match ending {
        Ending::QemuGone => {
            // On a busy host, QEMU takes a while to free its memory.
            let status = guest.wait(GRACE * 5).context("cannot wait for the guest")?;
            (status, guest.last_words())
        }
        // We ended it; ignore its status.
        _ => (None, guest.said()),
    };
    guest.end();
    session.drain(&events)?;
    // A signal that comes later does not change this verdict.
    drop(registered);
    session.close_record(ended, &said);
    if interactive {
        session.reset_terminal();
    }
    drop(raw);
    Ok(session.verdict(ending, status, said, vm))
}

/// Gives the guest's terminal the size of the user's, now and whenever that changes.
fn follow_size(guest: Terminal) -> io::Result<()> {
    let mut changes = signal_hook::iterator::Signals::new([SIGWINCH])?;
    // Ignore a terminal without a size.
    let _ = guest.resize(io::stdin());
    thread::spawn(move || {
        for _ in changes.forever() {
            let _ = guest.resize(io::stdin());
        }
    });
    Ok(())
}

/// The state of the loop.
struct Session<'a> {
    watch: Watch,
    keyboard: Option<File>,
    runner_stderr: RunnerStderr,
    /// The number of the guest's streams that are still open.
    open: u8,
    /// Whether the hint about Ctrl-C may still be shown.
    hint: bool,
    record: Option<&'a mut Timeline>,
    started: Instant,
}

impl Session<'_> {
    /// `look` looks at the guest's threads.
    fn until_ending(
        &mut self,
        events: &Receiver<(Instant, Event)>,
        mut look: impl FnMut() -> Option<Look>,
    ) -> Result<Ending> {
        loop {
            let hint = self.watch.quiet().filter(|_| self.hint);
            let due = self.watch.due().map(|(at, _)| at);
            let look_due = self.watch.look_due();
            let wake = due.into_iter().chain(hint).chain(look_due).min();
            let received = match wake {
                Some(at) => events.recv_timeout(at.saturating_duration_since(Instant::now())),
                None => events.recv().map_err(RecvTimeoutError::from),
            };
            // An event counts with the time at which it arrived, even if the loop handles it late.
            let (now, event) =
                received.map_or_else(|_| (Instant::now(), None), |(at, event)| (at, Some(event)));
            let due = self.watch.due().filter(|(at, _)| *at <= now);
            if hint.is_some_and(|at| at <= now) {
                self.hint = false;
                if !self.watch.at_line_start() {
                    say("");
                }
                say(&format!("boot: {}", self.watch.hint()));
            }
            let ending = event.map_or(Ok(None), |event| self.take(event, now))?;
            if let Some(ending) = due.map(|(_, ending)| ending).or(ending) {
                return Ok(ending);
            }
            if look_due.is_some_and(|at| at <= Instant::now()) {
                let look = look();
                self.watch.look(look, Instant::now());
            }
        }
    }

    /// Handles one event. Returns an ending if the event ends the watching.
    fn take(&mut self, event: Event, at: Instant) -> Result<Option<Ending>> {
        match event {
            Event::Console(bytes) => {
                self.runner_stderr.show();
                self.watch.output(&bytes, at);
                if let Some(record) = &mut self.record {
                    record.feed(&bytes, at - self.started);
                }
            }
            Event::QemuSaid(line) => self.runner_stderr.add(line),
            Event::Stopped(stopped) => self.watch.stopped(stopped.then_some(at)),
            Event::ConsoleClosed | Event::StderrClosed => {
                if matches!(event, Event::ConsoleClosed) {
                    self.watch.closed(at);
                }
                self.open -= 1;
                return Ok((self.open == 0).then_some(Ending::QemuGone));
            }
            Event::Keys(bytes) => {
                if self.watch.keys.feed(&bytes) {
                    return Ok(Some(Ending::Interrupted));
                }
                if let Some(keyboard) = &mut self.keyboard {
                    let _ = keyboard.write(&bytes);
                }
            }
            Event::KeysClosed => return Ok(Some(Ending::TerminalGone)),
            Event::Signal(signal) => return Ok(Some(Ending::Signal(signal))),
            Event::StdoutFailed(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                // After the text, the reader may have ended because it saw the text.
                return Ok(self.watch.seen.is_none().then_some(Ending::StdoutClosed));
            }
            Event::StdoutFailed(error) => {
                return Err(error).context("cannot write the guest's output to stdout");
            }
            Event::LogFailed(error) => {
                return Err(error).context("cannot write the guest's output to the log");
            }
            // There is no agent.
            Event::Program(_) => {}
        }
        Ok(None)
    }

    /// Completes the record with the times from QMP and from the watching.
    fn close_record(&mut self, ended: Instant, said: &State) {
        let since_start = |at: Instant| at.saturating_duration_since(self.started);
        if let Some(record) = &mut self.record {
            record.ready = said.ready.map(since_start);
            record.shutdown = said.shutdown.clone();
            record.expected = self.watch.text_seen().map(since_start);
            record.finish(since_start(ended));
        }
    }

    /// Handles the output that QEMU wrote before boot killed it.
    fn drain(&mut self, events: &Receiver<(Instant, Event)>) -> Result<()> {
        let end = Instant::now() + GRACE;
        while self.open > 0 {
            let Ok((at, event)) =
                events.recv_timeout(end.saturating_duration_since(Instant::now()))
            else {
                break;
            };
            // The watching has ended already, but the output may still contain a panic.
            self.take(event, at)?;
        }
        Ok(())
    }

    fn verdict(
        mut self,
        ending: Ending,
        status: Option<ExitStatus>,
        said: State,
        vm: &Vm,
    ) -> Verdict {
        let end = runner_end(vm, &self.watch, &self.runner_stderr, status, said);
        let verdict = self.watch.verdict(ending, end);
        // A verdict about the runner quotes its stderr.
        if verdict.runner_said().is_none() {
            self.runner_stderr.show();
        }
        verdict
    }

    /// Resets the terminal's colours and shows its cursor, because the guest may have changed them.
    fn reset_terminal(&self) {
        const PLAIN: &str = "\x1b[0m\x1b[?25h";
        if self.watch.escapes() && io::stdout().is_terminal() {
            let _ = io::stdout().write_all(PLAIN.as_bytes());
            let _ = io::stdout().flush();
        }
    }
}

/// How the runner of `vm` ended, for the verdict.
pub(super) fn runner_end(
    vm: &Vm,
    watch: &Watch,
    stderr: &RunnerStderr,
    status: Option<ExitStatus>,
    said: State,
) -> RunnerEnd {
    let lines = stderr.lines();
    let end = vm.end(status, &said, &lines, watch.has_output());
    RunnerEnd {
        user_mode: matches!(vm.runner, Runner::UserMode(_)),
        failure: end.failure,
        guest_exit: end.guest_exit,
        debugged: end.debugged,
        shutdown: end.shutdown,
        run_state: said.run_state,
        said: lines,
        said_is_shown: stderr.is_shown(),
        shell_line: vm.shell_line(),
    }
}
