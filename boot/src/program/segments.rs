//! A file in memory through which large input gets to a program in user-mode Linux. The device of the channel passes less
//! than 1 MB in a second; the kernel reads a file of the host at full speed.

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

use agent::protocol::{STRIDE, Segment, WINDOW};
use rustix::fs::{FallocateFlags, fallocate};
use rustix::process::{Resource, getrlimit};
use tempfile::TempPath;

/// The size of the file, which has a page of memory only where there is a segment. The agent's kernel reads no further than
/// the size that the file had when the agent opened it. There is room for four trillion segments.
const SIZE: u64 = 1 << 62;

/// The longest directory that the agent can mount: a parameter of fsconfig(2) has at most 255 bytes.
const LONGEST: usize = 255;

/// The file.
#[derive(Debug)]
pub(crate) struct Segments {
    file: File,
    /// Its path, until the agent has opened the file.
    path: Option<TempPath>,
    next: u64,
}

impl Segments {
    /// Makes the file in `directory`. Fails where a file cannot be large and mostly empty; a tmpfs allows that.
    pub(crate) fn create(directory: &Path) -> io::Result<Segments> {
        let unsupported = || io::Error::from(io::ErrorKind::Unsupported);
        // Beyond this limit, SIGXFSZ would end boot.
        if getrlimit(Resource::Fsize).current.is_some() || directory.as_os_str().len() > LONGEST {
            return Err(unsupported());
        }
        let (file, path) = tempfile::Builder::new()
            .prefix("boot-")
            .tempfile_in(directory)?
            .into_parts();
        file.set_len(SIZE)?;
        let segments = Segments {
            file,
            path: Some(path),
            next: 0,
        };
        segments.free(0)?;
        Ok(segments)
    }

    /// What the agent must know to open the file: its directory and its name, each with a byte 0 at the end.
    pub(crate) fn names(&self) -> Option<Vec<u8>> {
        let path = self.path.as_ref()?;
        let directory = path.parent()?.as_os_str().as_bytes();
        let name = path.file_name()?.as_bytes();
        Some([directory, b"\0", name, b"\0"].concat())
    }

    /// The agent has opened the file. Removes its name, so that nothing is left whatever happens.
    pub(crate) fn opened(&mut self) {
        self.path = None;
    }

    /// Whether the agent has opened the file.
    pub(crate) fn is_open(&self) -> bool {
        self.path.is_none()
    }

    /// Writes a segment: the beginning of `data`, or all of it.
    pub(crate) fn write(&mut self, data: &[u8]) -> io::Result<Segment> {
        let segment = Segment {
            number: self.next,
            length: data.len().min(WINDOW),
        };
        let length = self
            .file
            .write_at(&data[..segment.length], segment.place())?;
        self.next += 1;
        Ok(Segment { length, ..segment })
    }

    /// Gives the memory of a segment back.
    pub(crate) fn free(&self, number: u64) -> io::Result<()> {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let segment = Segment { number, length: 0 };
        Ok(fallocate(&self.file, flags, segment.place(), STRIDE)?)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::machine::user_mode::SHARED_MEMORY;

    #[test]
    fn a_segment_is_in_the_file_until_it_is_freed() {
        let mut segments = Segments::create(Path::new(SHARED_MEMORY)).unwrap();
        let names = segments.names().unwrap();
        let names = String::from_utf8(names).unwrap();
        let (directory, name) = names.split_once('\0').unwrap();
        let path = Path::new(directory).join(name.trim_end_matches('\0'));
        let guest = File::open(&path).unwrap();
        segments.opened();
        assert!(segments.is_open() && !path.exists());

        let first = segments.write(b"abc").unwrap();
        let second = segments.write(&[b'x'; WINDOW + 1]).unwrap();
        assert_eq!((first.length, second.length), (3, WINDOW));
        let mut read = [0; 3];
        guest.read_exact_at(&mut read, first.place()).unwrap();
        assert_eq!(&read, b"abc");
        guest.read_exact_at(&mut read, second.place()).unwrap();
        assert_eq!(&read, b"xxx");
        for segment in [first, second] {
            assert!(guest.metadata().unwrap().blocks() > 0);
            segments.free(segment.number).unwrap();
        }
        assert_eq!(guest.metadata().unwrap().blocks(), 0);
    }

    #[test]
    fn a_place_without_such_files_is_refused() {
        for directory in ["/proc", "/none"] {
            assert!(Segments::create(Path::new(directory)).is_err());
        }
    }
}
