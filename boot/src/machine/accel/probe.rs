//! Starts the process that tests KVM, reads its result, and always ends it.

use std::io::{self, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::outcome::Outcome;
use crate::machine::reaper::die_with_starter;

/// The line that the process writes when its guest starts to run.
pub const RUNNING: &str = "running";

/// The limit for the time to that line: the process is loaded, and KVM creates a machine.
pub const START_LIMIT: Duration = Duration::from_millis(400);

/// The limit for the guest's run. It needs less than a millisecond; the rest is for a busy host.
pub const GUEST_LIMIT: Duration = Duration::from_millis(100);

/// The limit for the time in which the killed process ends.
pub const DEATH_LIMIT: Duration = Duration::from_millis(200);

/// The longest line, in bytes. The process's own lines are shorter.
const LONGEST: usize = 4096;

/// Runs `program`, which must write the lines of `trial::tell`, and returns the result within the sum of
/// the three limits. The kernel kills `program` when the *thread* that called this ends.
pub fn probe(mut program: Command) -> Outcome {
    program
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    die_with_starter(&mut program);
    let mut child = match program.spawn() {
        Ok(child) => child,
        Err(error) => return Outcome::NotStarted(error.to_string()),
    };
    let heard = listen(child.stdout.take().expect("taken once"));
    let status = end(child);
    match (heard, status) {
        (Ok(Some(outcome)), _) => outcome,
        (Ok(None), Some(status)) => Outcome::Died(status.to_string()),
        (Ok(None), None) => Outcome::Stuck(DEATH_LIMIT),
        (Err(error), _) => Outcome::ReadFailed(error.to_string()),
    }
}

/// The result that the process writes to `stdout`. Nothing if the process ends without one.
fn listen(mut stdout: ChildStdout) -> io::Result<Option<Outcome>> {
    let mut said = Vec::new();
    let mut heard = line(&mut stdout, &mut said, START_LIMIT)?;
    let mut silence = Outcome::Stuck(START_LIMIT);
    if matches!(&heard, Heard::Line(line) if line == RUNNING) {
        heard = line(&mut stdout, &mut said, GUEST_LIMIT)?;
        silence = Outcome::Spins(GUEST_LIMIT);
    }
    Ok(match heard {
        Heard::Line(line) => {
            let outcome = serde_json::from_str(&line);
            Some(outcome.unwrap_or(Outcome::UnexpectedOutput(line)))
        }
        Heard::Silence => Some(silence),
        Heard::End => None,
    })
}

/// The result of reading a line within a limit.
enum Heard {
    Line(String),
    Silence,
    End,
}

/// The next line from `stdout`. `said` keeps the bytes after it.
fn line(stdout: &mut ChildStdout, said: &mut Vec<u8>, limit: Duration) -> io::Result<Heard> {
    let started = Instant::now();
    loop {
        let end = said.iter().position(|byte| *byte == b'\n');
        if let Some(end) = end.or((said.len() > LONGEST).then_some(LONGEST)) {
            let line: Vec<u8> = said.drain(..=end).collect();
            return Ok(Heard::Line(
                String::from_utf8_lossy(line.trim_ascii_end()).into_owned(),
            ));
        }
        // Even after the limit, poll once: bytes that have arrived count.
        let left = limit.saturating_sub(started.elapsed());
        let timeout = Timespec::try_from(left).expect("less than a second");
        let mut polled = [PollFd::new(stdout, PollFlags::IN)];
        match poll(&mut polled, Some(&timeout)) {
            Ok(0) => return Ok(Heard::Silence),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let mut bytes = [0; 512];
        match stdout.read(&mut bytes)? {
            0 => return Ok(Heard::End),
            length => said.extend_from_slice(&bytes[..length]),
        }
    }
}

/// Kills the process and returns its exit status.
fn end(mut child: Child) -> Option<ExitStatus> {
    // A process that has already ended keeps its status.
    let _ = child.kill();
    let started = Instant::now();
    while started.elapsed() < DEATH_LIMIT {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(1));
    }
    // It is stuck in the kernel. A thread reaps it if it ever ends.
    thread::spawn(move || child.wait());
    None
}
