//! The loop of `boot run`: it handles the events until the program or the guest ends.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGWINCH};

use crate::console::display::Display;
use crate::machine::process::Process;
use crate::machine::vm::Vm;
use crate::program::channel::{self, Channel, Streams, Tell};
use crate::program::devices::Device;
use crate::session::events::{self, Event, Sender};
use crate::session::run::{QUEUE, runner_end};
use crate::session::signals;
use crate::session::stderr::RunnerStderr;
use crate::session::terminal::{self, Output, RawMode};
use crate::session::watch::Watch;
use crate::verdict::Verdict;
use crate::verdict::diagnosis::Cause;
use crate::verdict::judge::{Ending, Goal};

/// The time for the last output of a guest that has ended, and for its runner to end.
const GRACE: Duration = Duration::from_secs(1);

/// The end of the console's output that is kept, in bytes.
const KEPT: usize = 64 << 10;

/// How a run ended.
#[derive(Debug)]
pub enum End {
    /// The program ended, with this wait(2) status.
    Program(i32),
    /// The program was PID 1, and powered the guest off, restarted or halted it.
    SwitchedOff,
    /// A step of the agent failed: its place, and the errno.
    Step(usize, i32),
    /// The guest's agent is another version than boot.
    Foreign,
    /// The guest failed, or something ended the run.
    Guest(Box<Verdict>),
}

/// A run, after its end.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub end: End,
    /// Whether the agent ran.
    pub ready: bool,
    /// The last lines on the guest's console, unless they were shown.
    pub console: String,
    /// The time from the start to the end.
    pub time: Duration,
}

/// Runs the agent in `vm` with these `steps`. The program gets this process's standard streams, by way of `devices` if it is
/// PID 1. The limits of `goal` count, and not its text. The console goes to `log`, and is shown on stderr if
/// `show_console`.
///
/// An error means that the host failed, not the guest.
pub fn run(
    vm: &Vm,
    steps: Vec<u8>,
    devices: Option<&[Device]>,
    goal: Goal,
    show_console: bool,
    log: Option<File>,
) -> Result<Ended> {
    let raw = io::stdin()
        .is_terminal()
        .then(|| RawMode::enter(io::stdin(), Output::Raw))
        .transpose()
        .context("cannot set up the terminal")?;
    let (sender, events) = Sender::channel(QUEUE);
    signals::pass_on(&sender).context("cannot handle signals")?;
    let mut streams = standard_streams().context("cannot use the standard streams")?;
    let shown = match show_console {
        true => io::stderr().as_fd().try_clone_to_owned().map(File::from),
        false => File::create("/dev/null"),
    };
    let shown = shown.context("cannot use stderr")?;
    let tell: Tell = Arc::new({
        let sender = sender.clone();
        move |event| sender.send(Event::Program(event))
    });
    let connected = devices.unwrap_or_default().iter();
    let connected: io::Result<Vec<_>> = connected
        .map(|device| device.connect(&streams, &tell))
        .collect();
    let connected = connected.context("cannot create the streams of the guest")?;
    if devices.is_some() {
        // A device has the keys. Two readers would each get some of them.
        streams.input = File::open("/dev/null").context("cannot open /dev/null")?;
        streams.is_terminal = false;
    }
    let (channel, theirs) = Channel::open(
        steps,
        vm.channel_window(),
        vm.input_directory(),
        streams,
        tell,
    )
    .context("cannot create the channel to the guest")?;
    let ports: Vec<_> = [theirs].into_iter().chain(connected).collect();

    let started = Instant::now();
    let mut guest = Process::start(vm, false, &ports, {
        let sender = sender.clone();
        move |stopped| sender.send(Event::Stopped(stopped))
    })?;
    let open = 2 + ports.len();
    drop(ports);
    let streams = guest.streams().context("cannot use the guest's streams")?;
    // The console's input stays open and says nothing.
    let _keyboard = streams.keyboard;
    thread::spawn({
        let sender = sender.clone();
        let display = Display::new(None, shown.is_terminal());
        move || events::from_console(streams.console, shown, display, log, &sender)
    });
    thread::spawn(move || events::from_stderr(streams.stderr, &sender));

    let mut session = Session {
        watch: Watch::new(goal, started),
        channel,
        runner_stderr: RunnerStderr::new(true),
        console: Vec::new(),
        open,
        is_init: devices.is_some(),
        ready: false,
        signalled: None,
    };
    let end = session.until_end(&events)?;
    let (status, said) = match &end {
        Ok(_) => (None, guest.said()),
        Err(Ending::QemuGone) => {
            let status = guest.wait(GRACE * 5).context("cannot wait for the guest")?;
            (status, guest.last_words())
        }
        Err(_) => (None, guest.said()),
    };
    // Not `end`: this guest has no disk images to complete.
    drop(guest);
    let by_itself = matches!(
        end,
        Err(Ending::QemuGone | Ending::Panicked | Ending::Halted)
    );
    session.drain(&events, devices.is_some() && by_itself);
    drop(raw);
    let time = started.elapsed();
    let console = match show_console {
        true => String::new(),
        false => String::from_utf8_lossy(&session.console).into_owned(),
    };
    let end = end.unwrap_or_else(|ending| {
        let end = runner_end(vm, &session.watch, &session.runner_stderr, status, said);
        let verdict = session.watch.verdict(ending, end);
        match devices.is_some() && session.ready {
            true => end_of_init(verdict),
            false => End::Guest(Box::new(verdict)),
        }
    });
    Ok(Ended {
        end,
        ready: session.ready,
        console,
        time,
    })
}

/// What the guest's end says about a program that was PID 1.
fn end_of_init(verdict: Verdict) -> End {
    let cause = match &verdict {
        Verdict::Ended => return End::SwitchedOff,
        Verdict::Failed(failure) => Some(&failure.cause.cause),
        _ => None,
    };
    match cause {
        Some(Cause::InitExited { status }) => End::Program(i32::from(*status) << 8),
        Some(Cause::InitKilled { signal, .. }) => End::Program(i32::from(*signal)),
        _ => End::Guest(Box::new(verdict)),
    }
}

/// The standard streams, without the buffers of std.
fn standard_streams() -> io::Result<Streams> {
    let clone = || io::stdin().as_fd().try_clone_to_owned().map(File::from);
    let stdout = io::stdout().as_fd().try_clone_to_owned()?.into();
    let stderr = io::stderr().as_fd().try_clone_to_owned()?.into();
    Ok(Streams {
        is_terminal: io::stdin().is_terminal(),
        input: clone()?,
        outputs: [clone()?, stdout, stderr],
    })
}

/// Gives the program's terminal the user's size, whenever that changes.
fn follow_size(channel: Channel) -> io::Result<()> {
    let mut changes = signal_hook::iterator::Signals::new([SIGWINCH])?;
    thread::spawn(move || {
        for _ in changes.forever() {
            if let Some((rows, columns)) = terminal::size() {
                channel.resize(rows, columns);
            }
        }
    });
    Ok(())
}

/// The state of the loop.
struct Session {
    watch: Watch,
    channel: Channel,
    runner_stderr: RunnerStderr,
    console: Vec<u8>,
    /// How many are still open of the console, the runner's stderr, the channel and the program's devices.
    open: usize,
    /// Whether the program is PID 1. Then nobody in the guest can pass it a signal.
    is_init: bool,
    /// Whether the agent runs.
    ready: bool,
    /// The signal of the user for the program.
    signalled: Option<i32>,
}

impl Session {
    /// Handles events until the program ends, or until the watching of the guest does.
    fn until_end(&mut self, events: &Receiver<(Instant, Event)>) -> Result<Result<End, Ending>> {
        loop {
            let received = match self.watch.due() {
                Some((at, _)) => events.recv_timeout(at.saturating_duration_since(Instant::now())),
                None => events.recv().map_err(Into::into),
            };
            let (now, event) =
                received.map_or_else(|_| (Instant::now(), None), |(at, event)| (at, Some(event)));
            let due = self.watch.due().filter(|(at, _)| *at <= now);
            if let Some(end) = event.map_or(Ok(None), |event| self.take(event, now))? {
                return Ok(end);
            }
            if let Some((_, ending)) = due {
                return Ok(Err(ending));
            }
        }
    }

    fn take(&mut self, event: Event, at: Instant) -> Result<Option<Result<End, Ending>>> {
        match event {
            Event::Program(event) => match event {
                channel::Event::Ready => {
                    self.ready = true;
                    if let Some(signal) = self.signalled {
                        self.channel.signal(signal);
                    }
                    if !self.is_init {
                        follow_size(self.channel.clone())
                            .context("cannot follow the terminal's size")?;
                    }
                }
                channel::Event::Wrote => self.watch.active(at),
                channel::Event::Failed(place, errno) => {
                    return Ok(Some(Ok(End::Step(place, errno))));
                }
                channel::Event::Ended(status) => return Ok(Some(Ok(End::Program(status)))),
                channel::Event::Foreign => return Ok(Some(Ok(End::Foreign))),
                channel::Event::Unread => return Ok(Some(Err(Ending::StdoutClosed))),
                channel::Event::Escaped => return Ok(Some(Err(Ending::Signal(SIGINT)))),
                channel::Event::Unwritten(stream, errno) => {
                    let name = ["the terminal", "stdout", "stderr"][usize::from(stream)];
                    return Err(io::Error::from_raw_os_error(errno))
                        .with_context(|| format!("cannot write the program's output to {name}"));
                }
                channel::Event::Closed => return Ok(self.close()),
            },
            Event::Console(bytes) => {
                self.watch.output(&bytes, at);
                self.console.extend(bytes);
                let excess = self.console.len().saturating_sub(KEPT);
                self.console.drain(..excess);
            }
            Event::QemuSaid(line) => self.runner_stderr.add(line),
            Event::Stopped(stopped) => self.watch.stopped(stopped.then_some(at)),
            Event::ConsoleClosed | Event::StderrClosed => {
                if matches!(event, Event::ConsoleClosed) {
                    self.watch.closed(at);
                }
                return Ok(self.close());
            }
            Event::Signal(signal) if self.signalled.is_some() || self.is_init => {
                return Ok(Some(Err(Ending::Signal(signal))));
            }
            Event::Signal(signal) => {
                self.signalled = Some(signal);
                // Before the agent runs, nobody can read it.
                if self.ready {
                    self.channel.signal(signal);
                }
            }
            Event::LogFailed(error) => {
                return Err(error).context("cannot write the console's output to the log");
            }
            // stderr has no reader any more, and nobody types at the console.
            Event::StdoutFailed(_) | Event::Keys(_) | Event::KeysClosed => {}
        }
        Ok(None)
    }

    /// One of the streams is closed.
    fn close(&mut self) -> Option<Result<End, Ending>> {
        self.open -= 1;
        (self.open == 0).then_some(Err(Ending::QemuGone))
    }

    /// Handles the output that the runner wrote before boot ended it. If there is output of the program as well, waits until
    /// everything is written, or until a signal comes.
    fn drain(&mut self, events: &Receiver<(Instant, Event)>, has_program: bool) {
        let end = Instant::now() + GRACE;
        while self.open > 0 {
            let left = end.saturating_duration_since(Instant::now());
            let received = match has_program {
                true => events.recv().ok(),
                false => events.recv_timeout(left).ok(),
            };
            let Some((at, event)) = received else { break };
            let is_signal = matches!(event, Event::Signal(_));
            let _ = self.take(event, at);
            if has_program && is_signal {
                break;
            }
        }
    }
}
