//! Reads a log that grows, or a serial port, until the boot in it is over.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{ControlModes, OptionalActions, tcgetattr, tcsetattr};

use crate::explain::read::LINE;
use crate::explain::{Boot, Explainer};
use crate::session::terminal::{Output, RawMode};
use crate::verdict::judge::{Ending, Goal};

/// The time for which to read on after the boot is decided, for the details.
const GRACE: Duration = Duration::from_secs(1);

/// The longest time between two checks of the file, of the clock and of the signals.
const STEP: Duration = Duration::from_millis(50);

/// A log that may grow.
#[derive(Debug)]
pub struct Growing {
    file: File,
    /// Its path, if it is a regular file, which a program such as logrotate may replace.
    path: Option<PathBuf>,
    /// Whether its end is final, like that of a pipe. A regular file may still grow.
    ends: bool,
    /// The modes of a serial port, restored at the end.
    _port: Option<RawMode>,
}

impl Growing {
    /// Opens a file or a serial port, at its beginning. A port gets raw mode, and the speed `baud`.
    pub fn open(path: &Path, baud: Option<u32>) -> io::Result<Growing> {
        let file = open(path)?;
        let is_regular = file.metadata()?.is_file();
        let growing = Growing::new(file, false, baud)?;
        Ok(Growing {
            path: is_regular.then(|| path.to_owned()),
            ..growing
        })
    }

    /// The log on stdin.
    pub fn stdin() -> io::Result<Growing> {
        let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        Growing::new(file, true, None)
    }

    fn new(file: File, ends: bool, baud: Option<u32>) -> io::Result<Growing> {
        if file.metadata()?.is_dir() {
            return Err(io::Error::new(ErrorKind::IsADirectory, "it is a directory"));
        }
        let is_port = file.is_terminal();
        if let Some(baud) = baud {
            if !is_port {
                let why = "--baud is for a serial port, and this is not one";
                return Err(io::Error::new(ErrorKind::InvalidInput, why));
            }
            set_speed(&file, baud)?;
        }
        let port = is_port
            .then(|| RawMode::enter(&file, Output::Raw))
            .transpose()?;
        Ok(Growing {
            file,
            path: None,
            ends: ends || is_port,
            _port: port,
        })
    }

    /// Waits for at most [`STEP`], and reads the bytes that have come. `None` if the log has ended.
    fn read<'a>(&mut self, buffer: &'a mut [u8]) -> io::Result<Option<&'a [u8]>> {
        let step = Timespec {
            tv_sec: 0,
            tv_nsec: STEP.as_nanos() as i64,
        };
        let _ = poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&step));
        match self.file.read(buffer) {
            Ok(0) if self.ends => Ok(None),
            Ok(0) => {
                // A regular file is always ready.
                std::thread::sleep(STEP);
                self.begin_anew()?;
                Ok(Some(&[]))
            }
            Ok(count) => Ok(Some(&buffer[..count])),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Ok(Some(&[]))
            }
            // The port, or the other end of a pseudoterminal, is gone.
            Err(error) if self.ends && error.raw_os_error() == Some(libc::EIO) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Continues at the beginning of a file that was truncated, or of one that has taken its place.
    fn begin_anew(&mut self) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let old = self.file.metadata()?;
        if old.len() < self.file.stream_position()? {
            self.file.rewind()?;
        }
        // Without a file, the next one may still come.
        let Ok(new) = path.metadata() else {
            return Ok(());
        };
        if new.is_file() && (new.dev(), new.ino()) != (old.dev(), old.ino()) {
            self.file = open(path)?;
        }
        Ok(())
    }
}

/// Opens a log. A port without a carrier would block, and could become the controlling terminal.
fn open(path: &Path) -> io::Result<File> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags).open(path)
}

fn set_speed(port: &File, baud: u32) -> io::Result<()> {
    let mut modes = tcgetattr(port)?;
    modes.set_speed(baud)?;
    modes.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD;
    Ok(tcsetattr(port, OptionalActions::Now, &modes)?)
}

/// Reads `log` until the boot in it is over, a limit of `goal` has passed, or `ended` returns true. Copies it to `copy`.
pub fn follow(
    mut log: Growing,
    goal: Goal,
    mut copy: impl Write,
    ended: impl Fn() -> bool,
) -> io::Result<Vec<Boot>> {
    let started = Instant::now();
    let (timeout, stall, settle) = (goal.timeout, goal.stall, goal.settle);
    let mut explainer = Explainer::new(goal);
    let mut buffer = [0; 8192];
    let mut line = Vec::new();
    let mut last_output = started;
    let mut decided = None;
    let passed = |since: Instant, limit: Option<Duration>| {
        limit.is_some_and(|limit| since.elapsed() >= limit)
    };
    let ending = loop {
        let Some(bytes) = log.read(&mut buffer)? else {
            break Ending::LogEnded;
        };
        if !bytes.is_empty() {
            copy.write_all(bytes)?;
            copy.flush()?;
            last_output = Instant::now();
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(piece);
            // A prompt has no newline, so a line that does not grow any more counts as complete.
            if line.ends_with(b"\n") {
                line.pop();
                explainer.take(&line, true);
                line.clear();
            }
        }
        if bytes.is_empty() && !line.is_empty() || line.len() as u64 > LINE {
            explainer.take(&line, false);
            line.clear();
        }
        if explainer.is_decided() {
            let since = *decided.get_or_insert_with(Instant::now);
            if passed(since, Some(GRACE.max(settle))) {
                break Ending::LogEnded;
            }
        } else if passed(started, timeout) {
            break Ending::TimedOut;
        } else if passed(last_output, stall) {
            break Ending::Stalled;
        }
        if ended() {
            break Ending::LogEnded;
        }
    };
    if !line.is_empty() {
        explainer.take(&line, false);
    }
    Ok(explainer.end(ending))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread;

    use super::*;

    const VERSION: &str = "[    0.000000] Linux version 6.12.95 (a@b)\n";
    const PANIC: &str = "[    0.400000] Kernel panic - not syncing: Fatal exception\n";

    /// The kind of the verdict for a log that `change` changes after the first look.
    fn followed(change: impl FnOnce(&Path) + Send) -> &'static str {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        fs::write(&path, VERSION.repeat(3)).unwrap();
        let log = Growing::open(&path, None).unwrap();
        let goal = Goal {
            timeout: Some(Duration::from_secs(20)),
            ..Goal::default()
        };
        let boots = thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(4 * STEP);
                change(&path);
            });
            follow(log, goal, io::sink(), || false).unwrap()
        });
        boots.last().unwrap().verdict.kind()
    }

    #[test]
    fn a_truncated_log_begins_anew() {
        let change = |path: &Path| {
            fs::write(path, "").unwrap();
            thread::sleep(4 * STEP);
            fs::write(path, PANIC).unwrap();
        };
        assert_eq!(followed(change), "panic");
    }

    #[test]
    fn a_log_that_another_replaces_goes_on_there() {
        let change = |path: &Path| {
            fs::remove_file(path).unwrap();
            thread::sleep(4 * STEP);
            fs::write(path, PANIC).unwrap();
        };
        assert_eq!(followed(change), "panic");
    }
}
