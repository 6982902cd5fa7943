//! The program's input.

use core::ffi::CStr;

use agent::protocol::{CLOSE, CREDIT, Segment, WINDOW};

use crate::channel::Channel;
use crate::system::{self, EAGAIN, EINTR, EINVAL, Fd, POSIX_FADV_DONTNEED, POSIX_FADV_RANDOM};

/// Data from boot that the program has not read.
pub struct Input {
    /// The program's stdin, until nobody reads it any more.
    fd: Option<Fd>,
    is_terminal: bool,
    /// Room for twice the data that boot has credit for, so that they are seldom moved.
    data: &'static mut [u8],
    start: usize,
    end: usize,
    /// The number of bytes that the program has taken, and for which boot has not yet got credit again.
    passed: usize,
    /// Whether boot sends no more.
    pub complete: bool,
    /// The file of the host with the segments.
    file: Option<Fd>,
}

impl Input {
    pub fn new(fd: Option<Fd>, is_terminal: bool) -> system::Result<Input> {
        Ok(Input {
            fd,
            is_terminal,
            data: system::allocate(2 * WINDOW)?,
            start: 0,
            end: 0,
            passed: 0,
            complete: false,
            file: None,
        })
    }

    /// The program's stdin, if there is something to do with it as soon as it can be written.
    pub fn waiting(&self) -> Option<Fd> {
        self.fd.filter(|_| self.end > self.start || self.complete)
    }

    /// Adds data. boot has credit for no more than there is room.
    pub fn add(&mut self, payload: &[u8]) {
        if let Some(room) = self.room(payload.len()) {
            room.copy_from_slice(payload);
            self.end += payload.len();
        }
    }

    /// Opens the file of the host in which boot puts segments. Only user-mode Linux has such files.
    pub fn open(&mut self, mut names: &[u8]) -> system::Result<()> {
        let mut next = || {
            let name = CStr::from_bytes_until_nul(names).map_err(|_| EINVAL)?;
            names = names.get(name.count_bytes() + 1..).unwrap_or_default();
            Ok(name)
        };
        let file = system::open_in_hostfs(next()?, next()?)?;
        // Without this, Linux reads some pages more than it is asked for. That only costs time.
        let _ = system::advise(file, POSIX_FADV_RANDOM);
        self.file = Some(file);
        Ok(())
    }

    /// Adds the data of a segment.
    pub fn add_segment(&mut self, segment: Segment) -> system::Result<()> {
        // Once the program has closed its stdin, boot may have removed the data.
        if self.fd.is_none() {
            return Ok(());
        }
        let file = self.file.ok_or(EINVAL)?;
        let room = self.room(segment.length).ok_or(EINVAL)?;
        let mut read = 0;
        while let Some(rest) = room.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match system::read_at(file, rest, segment.place() + read as u64) {
                Ok(0) => return Err(EINVAL),
                Ok(length) => read += length,
                Err(EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        self.end += read;
        // Nobody reads these pages again.
        let _ = system::advise(file, POSIX_FADV_DONTNEED);
        Ok(())
    }

    /// Room for more data.
    fn room(&mut self, length: usize) -> Option<&mut [u8]> {
        if self.end + length > self.data.len() {
            self.data.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.data.get_mut(self.end..self.end + length)
    }

    /// Gives the program as much as it takes.
    pub fn write(&mut self, channel: &Channel) {
        let Some(fd) = self.fd else { return };
        let data = self.data.get(self.start..self.end).unwrap_or_default();
        if !data.is_empty() {
            match system::write(fd, data) {
                Ok(length) => {
                    self.start += length;
                    self.passed += length;
                }
                Err(EAGAIN | EINTR) => return,
                // The program has closed its stdin.
                Err(_) => {
                    channel.send(CLOSE, 0, &[]);
                    return self.close();
                }
            }
        }
        let is_empty = self.start == self.end;
        // Few frames, because each one costs time. A pipe takes a few pages at once.
        if self.passed > 0 && (is_empty || self.passed >= WINDOW / 4) {
            channel.send(CREDIT, 0, &(self.passed as u32).to_le_bytes());
            self.passed = 0;
        }
        if is_empty {
            (self.start, self.end) = (0, 0);
            if self.complete {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        if let Some(fd) = self.fd.take().filter(|_| !self.is_terminal) {
            system::close(fd);
        }
        self.start = self.end;
    }
}
