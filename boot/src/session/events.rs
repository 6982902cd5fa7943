//! The threads that wait for input. Each sends its events to the loop.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::process::ChildStderr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::console::display::Display;
use crate::program::channel;
use crate::streams::Patient;

/// The time in which the loop can catch up with a reader of stdout.
const HEAD_START: Duration = Duration::from_millis(200);

/// The longest line of QEMU's stderr, in bytes; longer ones are split.
const LINE: u64 = 4096;

/// An event.
#[derive(Debug)]
pub enum Event {
    /// The guest wrote these bytes, and they were passed on.
    Console(Vec<u8>),
    /// QEMU wrote this line to its stderr.
    QemuSaid(String),
    /// The guest's processors stopped (true) or run again (false).
    Stopped(bool),
    /// The console was closed, or boot could not pass on the output.
    ConsoleClosed,
    /// QEMU closed its stderr.
    StderrClosed,
    /// The user typed these bytes.
    Keys(Vec<u8>),
    /// The terminal was closed.
    KeysClosed,
    /// This signal came.
    Signal(i32),
    /// Writing to stdout failed.
    StdoutFailed(io::Error),
    /// Writing to the log failed.
    LogFailed(io::Error),
    /// The agent of `boot run` said something.
    Program(channel::Event),
}

/// The sender of events. It waits while the channel is full; without a receiver it drops the event.
#[derive(Clone, Debug)]
pub struct Sender(SyncSender<(Instant, Event)>);

impl Sender {
    /// A sender, and the receiver of its events and their times.
    pub fn channel(bound: usize) -> (Self, Receiver<(Instant, Event)>) {
        let (sender, receiver) = sync_channel(bound);
        (Sender(sender), receiver)
    }

    /// Sends an event with the current time.
    pub fn send(&self, event: Event) {
        self.send_at(Instant::now(), event);
    }

    fn send_at(&self, at: Instant, event: Event) {
        // Without a receiver, the boot is over.
        let _ = self.0.send((at, event));
    }
}

/// Stdout without Rust's line buffer.
pub fn unbuffered_stdout() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

/// Passes the guest's output on: to `log`, to `stdout` as `display` formats it, and then to the loop.
/// At the end, it ends an incomplete last line on `stdout`, so that boot's messages start a new line.
pub fn from_console(
    console: File,
    stdout: File,
    mut display: Display,
    mut log: Option<File>,
    sender: &Sender,
) {
    // A terminal is one file for both directions, so its output is as non-blocking as the keyboard.
    let mut console = Patient(console);
    let mut stdout = Patient(stdout);
    let mut buffer = [0; 8192];
    let mut in_line = false;
    let mut has_reader = true;
    while let Some(bytes) = read_some(&mut console, &mut buffer) {
        let at = Instant::now();
        // Write the log first: writing to stdout may fail or wait.
        let logged = log.as_mut().map_or(Ok(()), |log| log.write_all(bytes));
        let mut shown = Ok(());
        if has_reader {
            shown = stdout.write_all(&display.show(bytes, at));
        }
        if let Err(error) = shown.as_ref().map_err(io::Error::kind) {
            if error == io::ErrorKind::BrokenPipe {
                // Continue: the loop may need the rest of the output for the verdict.
                has_reader = false;
                sender.send(Event::StdoutFailed(error.into()));
                shown = Ok(());
            }
        }
        let passed_on = logged
            .map_err(Event::LogFailed)
            .and(shown.map_err(Event::StdoutFailed));
        // The verdict must not depend on output that is missing from the log.
        if let Err(failure) = passed_on {
            sender.send(failure);
            in_line = false;
            break;
        }
        in_line = !bytes.ends_with(b"\n");
        sender.send_at(at, Event::Console(bytes.to_vec()));
    }
    if in_line && has_reader {
        let _ = stdout.write_all(b"\n");
    }
    sender.send(Event::ConsoleClosed);
}

/// Tells the loop when `stdout`, a pipe, loses its reader. Otherwise boot would notice that only when
/// the guest writes something.
pub fn from_stdout(stdout: File, sender: &Sender) {
    let mut pipe = [PollFd::new(&stdout, PollFlags::empty())];
    let gone = PollFlags::ERR | PollFlags::HUP;
    while !pipe[0].revents().intersects(gone) {
        match poll(&mut pipe, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
    }
    // The reader may have ended because it saw the text. Let the loop see the text first.
    thread::sleep(HEAD_START);
    sender.send(Event::StdoutFailed(io::ErrorKind::BrokenPipe.into()));
}

/// Sends QEMU's stderr to the loop, line by line.
pub fn from_stderr(stderr: ChildStderr, sender: &Sender) {
    let mut stderr = BufReader::new(stderr);
    let mut line = Vec::new();
    while let Ok(1..) = stderr.by_ref().take(LINE).read_until(b'\n', &mut line) {
        sender.send(Event::QemuSaid(
            String::from_utf8_lossy(&line).trim_end().to_owned(),
        ));
        line.clear();
    }
    sender.send(Event::StderrClosed);
}

/// Sends the user's keys to the loop.
pub fn from_keyboard(sender: &Sender) {
    let mut stdin = Patient(io::stdin().lock());
    let mut buffer = [0; 1024];
    while let Some(bytes) = read_some(&mut stdin, &mut buffer) {
        sender.send(Event::Keys(bytes.to_vec()));
    }
    sender.send(Event::KeysClosed);
}

/// The next bytes from `from`, or nothing at its end.
fn read_some<'a>(from: &mut impl Read, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    loop {
        match from.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => return None,
            Ok(length) => return Some(&buffer[..length]),
        }
    }
}
