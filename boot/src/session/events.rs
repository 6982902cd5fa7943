//! The threads, each of which waits for one thing and tells the loop about it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::process::{ChildStderr, ChildStdout};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::console::display::Display;
use crate::streams::Patient;

/// How long the loop gets to see what a reader of stdout has seen.
const HEAD_START: Duration = Duration::from_millis(200);

/// How much of a line of QEMU's stderr is taken at once, in bytes.
const LINE: u64 = 4096;

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// The guest wrote this, and it has been passed on.
    Console(Vec<u8>),
    /// QEMU wrote this line to its stderr.
    QemuSaid(String),
    /// The guest's processors stand still, or run again.
    Stopped(bool),
    /// QEMU has closed its stdout, or that could not be passed on.
    ConsoleClosed,
    /// QEMU has closed its stderr.
    StderrClosed,
    /// The user typed this.
    Keys(Vec<u8>),
    /// There is no terminal any more.
    KeysClosed,
    /// This signal came.
    Signal(i32),
    /// Writing to stdout failed.
    StdoutFailed(io::Error),
    /// Writing to the log failed.
    LogFailed(io::Error),
}

/// Where events go. A full channel makes the sender wait; one without a receiver does not.
#[derive(Clone, Debug)]
pub struct Sender(SyncSender<(Instant, Event)>);

impl Sender {
    /// A sender, and the receiver of its events, each with the moment when it happened.
    pub fn channel(bound: usize) -> (Self, Receiver<(Instant, Event)>) {
        let (sender, receiver) = sync_channel(bound);
        (Sender(sender), receiver)
    }

    /// Sends what has just happened.
    pub fn send(&self, event: Event) {
        self.send_at(Instant::now(), event);
    }

    fn send_at(&self, at: Instant, event: Event) {
        // Without a receiver the watching is over, and the process about to end.
        let _ = self.0.send((at, event));
    }
}

/// Stdout without the buffer that holds text back until its line is complete.
pub fn unbuffered_stdout() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

/// Passes the guest's output on to `stdout`, as `display` shows it, and to `log`, and then to the
/// loop. Its last line is ended on `stdout` if the guest did not: what boot says comes below it.
pub fn from_console(
    mut console: ChildStdout,
    stdout: File,
    mut display: Display,
    mut log: Option<File>,
    sender: &Sender,
) {
    let mut stdout = Patient(stdout);
    let mut buffer = [0; 8192];
    let mut in_line = false;
    let mut has_reader = true;
    while let Some(bytes) = read_some(&mut console, &mut buffer) {
        let at = Instant::now();
        // The log first: it is there when nobody looks at stdout any more.
        let logged = log.as_mut().map_or(Ok(()), |log| log.write_all(bytes));
        let mut shown = Ok(());
        if has_reader {
            shown = stdout.write_all(&display.show(bytes, at));
        }
        if let Err(error) = shown.as_ref().map_err(io::Error::kind) {
            if error == io::ErrorKind::BrokenPipe {
                // The loop may still have to see what becomes of the guest.
                has_reader = false;
                sender.send(Event::StdoutFailed(error.into()));
                shown = Ok(());
            }
        }
        let passed_on = logged
            .map_err(Event::LogFailed)
            .and(shown.map_err(Event::StdoutFailed));
        // No verdict rests on what the log does not have.
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

/// Tells the loop when nobody can read `stdout` any more, a pipe: the guest may be silent for long,
/// and writing to it is otherwise the only way to find out.
pub fn from_stdout(stdout: File, sender: &Sender) {
    let mut pipe = [PollFd::new(&stdout, PollFlags::empty())];
    let gone = PollFlags::ERR | PollFlags::HUP;
    while !pipe[0].revents().intersects(gone) {
        match poll(&mut pipe, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
    }
    // A reader that has ended because it saw what it was waiting for must not outrun what it saw.
    thread::sleep(HEAD_START);
    sender.send(Event::StdoutFailed(io::ErrorKind::BrokenPipe.into()));
}

/// Hands QEMU's stderr to the loop, line by line.
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

/// Hands what the user types to the loop.
pub fn from_keyboard(sender: &Sender) {
    let mut stdin = Patient(io::stdin().lock());
    let mut buffer = [0; 1024];
    while let Some(bytes) = read_some(&mut stdin, &mut buffer) {
        sender.send(Event::Keys(bytes.to_vec()));
    }
    sender.send(Event::KeysClosed);
}

/// What `from` has next, or nothing at its end.
fn read_some<'a>(from: &mut impl Read, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    loop {
        match from.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => return None,
            Ok(length) => return Some(&buffer[..length]),
        }
    }
}
