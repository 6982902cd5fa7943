//! The loop that joins everything that happens while a guest runs.
//!
//! A thread may get stuck writing to a terminal or a pipe that nobody reads. The loop must not: it
//! keeps the time.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::{ChildStdin, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::console::display::Display;
use crate::machine::command::Vm;
use crate::machine::qemu::Qemu;
use crate::machine::qmp::State;
use crate::machine::threads::Threads;
use crate::profile::timeline::Timeline;
use crate::session::events::{self, Event, Sender};
use crate::session::settle::Look;
use crate::session::signals::Signals;
use crate::session::stderr::QemuStderr;
use crate::session::terminal::RawMode;
use crate::session::watch::Watch;
use crate::streams::say;
use crate::verdict::judge::{Ending, Goal, QemuEnd};
use crate::verdict::kinds::Verdict;

/// How many events may wait for the loop. A guest that writes faster than that has to wait, too.
const QUEUE: usize = 16;

/// How long a QEMU that has closed its streams may take to end, and one that was killed to close
/// them.
const GRACE: Duration = Duration::from_secs(1);

/// What becomes of the guest's output beside being watched.
#[derive(Debug, Default)]
pub struct Output<'a> {
    /// Whether it is not shown on stdout, nor what QEMU complains about on stderr.
    pub hidden: bool,
    /// Where it is written to, byte for byte.
    pub log: Option<File>,
    /// Whether each line is shown with the time since QEMU's start.
    pub timestamps: bool,
    /// What records when it came.
    pub record: Option<&'a mut Timeline>,
}

/// Boots `vm` and watches it for `goal`. In an `interactive` session stdin, a terminal, goes to the
/// guest.
///
/// One of the `signals` ends it. Errors are the host's.
pub fn run(
    vm: &Vm,
    goal: Goal,
    output: Output<'_>,
    interactive: bool,
    signals: &Signals,
) -> Result<Verdict> {
    let raw = interactive
        .then(|| RawMode::enter(io::stdin()))
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
    let mut qemu = Qemu::start(vm, interactive, {
        let sender = sender.clone();
        move |stopped| sender.send(Event::Stopped(stopped))
    })?;
    let (keyboard, console, stderr) = qemu.streams();
    let unread = console.as_fd().try_clone_to_owned();
    let unread = unread.context("cannot use QEMU's stdout")?;
    if let Some(keyboard) = &keyboard {
        // What the guest does not read is lost, as on a real line, rather than holding up the
        // Ctrl-C behind it.
        rustix::io::ioctl_fionbio(keyboard, true).context("cannot set up QEMU's stdin")?;
    }

    // In a session, the terminal is the guest's: its editor needs the escape sequences.
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
        qemu_stderr: QemuStderr::new(output.hidden),
        open: 2,
        hint: interactive,
        record: output.record,
        started,
    };
    let mut threads = None;
    let look = || {
        let threads = threads.get_or_insert_with(|| Threads::of(qemu.pid()));
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
            // On a busy host, giving back its memory takes QEMU a while.
            let status = qemu.wait(GRACE * 5).context("cannot wait for QEMU")?;
            (status, qemu.last_words())
        }
        // boot ends QEMU itself; ignore its status.
        _ => (None, qemu.said()),
    };
    qemu.end();
    session.drain(&events)?;
    // A signal that comes later does not change this verdict.
    drop(registered);
    session.close_record(ended, &said);
    if interactive {
        session.calm_terminal();
    }
    drop(raw);
    Ok(session.verdict(ending, status, said, vm))
}

/// What the loop keeps.
struct Session<'a> {
    watch: Watch,
    keyboard: Option<ChildStdin>,
    qemu_stderr: QemuStderr,
    /// How many of QEMU's streams are still open.
    open: u8,
    /// Whether the hint is still to be given.
    hint: bool,
    record: Option<&'a mut Timeline>,
    started: Instant,
}

impl Session<'_> {
    /// `look` looks at QEMU's threads.
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
            // What arrived in time counts even if the loop comes to it late.
            let (now, event) =
                received.map_or_else(|_| (Instant::now(), None), |(at, event)| (at, Some(event)));
            let due = self.watch.due().filter(|(at, _)| *at <= now);
            if hint.is_some_and(|at| at <= now) {
                self.hint = false;
                if !self.watch.at_line_start() {
                    say("");
                }
                say("boot: the guest is quiet; Ctrl-C ends it");
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

    /// Acts on one event; it may be the last.
    fn take(&mut self, event: Event, at: Instant) -> Result<Option<Ending>> {
        match event {
            Event::Console(bytes) => {
                self.qemu_stderr.show();
                self.watch.output(&bytes, at);
                if let Some(record) = &mut self.record {
                    record.feed(&bytes, at - self.started);
                }
            }
            Event::QemuSaid(line) => self.qemu_stderr.add(line),
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
                // Whoever read it may have ended because of the text.
                return Ok(self.watch.seen.is_none().then_some(Ending::StdoutClosed));
            }
            Event::StdoutFailed(error) => {
                return Err(error).context("cannot write the guest's output to stdout");
            }
            Event::LogFailed(error) => {
                return Err(error).context("cannot write the guest's output to the log");
            }
        }
        Ok(None)
    }

    /// Adds to the record what the console does not tell.
    fn close_record(&mut self, ended: Instant, said: &State) {
        let since_start = |at: Instant| at.saturating_duration_since(self.started);
        if let Some(record) = &mut self.record {
            record.ready = said.ready.map(since_start);
            record.shutdown = said.shutdown.clone();
            record.expected = self.watch.seen.map(since_start);
            record.finish(since_start(ended));
        }
    }

    /// Takes what QEMU wrote before it was killed.
    fn drain(&mut self, events: &Receiver<(Instant, Event)>) -> Result<()> {
        let end = Instant::now() + GRACE;
        while self.open > 0 {
            let Ok((at, event)) =
                events.recv_timeout(end.saturating_duration_since(Instant::now()))
            else {
                break;
            };
            // The watching is over, so this ends nothing. It may show a panic, though.
            self.take(event, at)?;
        }
        Ok(())
    }

    fn verdict(
        mut self,
        ending: Ending,
        status: Option<ExitStatus>,
        qmp: State,
        vm: &Vm,
    ) -> Verdict {
        let verdict = self.watch.verdict(
            ending,
            QemuEnd {
                failure: status
                    .filter(|status| !status.success())
                    .map(|status| status.to_string()),
                guest_exit: status
                    .and_then(|status| status.code())
                    .filter(|_| qmp.ready.is_some())
                    .and_then(|code| vm.exit_of_guest(code, qmp.shutdown.as_deref())),
                // QEMU does not say so on its control channel when a debugger ends it.
                debugged: vm.gdb.is_some() && qmp.shutdown.is_none(),
                shutdown: qmp.shutdown,
                run_state: qmp.run_state,
                said: self.qemu_stderr.lines(),
                said_is_shown: self.qemu_stderr.is_shown(),
                shell_line: vm.shell_line(),
            },
        );
        // A verdict about QEMU quotes it.
        if verdict.qemu_said().is_none() {
            self.qemu_stderr.show();
        }
        verdict
    }

    /// Undoes what the guest may have done to the terminal's colours and cursor.
    fn calm_terminal(&self) {
        const PLAIN: &str = "\x1b[0m\x1b[?25h";
        if self.watch.escapes() && io::stdout().is_terminal() {
            let _ = io::stdout().write_all(PLAIN.as_bytes());
            let _ = io::stdout().flush();
        }
    }
}
