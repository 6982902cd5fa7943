//! Paths that do not lead out of a directory.
//!
//! Each is walked down name for name, from a descriptor of the directory, and no symbolic link is
//! followed. So it does not matter what an archive says, or in what order.

use crate::escape::escape;
use bstr::{BStr, BString, ByteSlice};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, chmodat, openat, statat};
use rustix::io::{self, Errno};
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use super::Failure;

/// The directory that nothing leads out of.
pub(super) struct Confined {
    top: Rc<OwnedFd>,
    /// The directory that was needed last, for the next entry is mostly in it, too.
    last: Option<(BString, Rc<OwnedFd>)>,
}

/// A name in a directory.
pub(super) struct Place<'a> {
    pub directory: Rc<OwnedFd>,
    pub name: &'a [u8],
}

impl Confined {
    pub fn new(top: OwnedFd) -> Self {
        Self {
            top: Rc::new(top),
            last: None,
        }
    }

    pub fn top(&self) -> &OwnedFd {
        &self.top
    }

    /// Finds where `path` is or can be made. It begins with `/`, and `/` itself is not in it.
    pub fn find<'a>(&mut self, path: &'a BStr) -> Result<Place<'a>, Failure> {
        if path.split_str("/").any(|part| part == b"..") {
            return Err(Failure::entry(
                "its path contains `..`, which is not followed",
            ));
        }
        let (parent, name) = path.rsplit_once_str("/").unwrap_or((b"", path));
        Ok(Place {
            directory: self.directory(parent.as_bstr())?,
            name,
        })
    }

    /// To be called when a directory is removed.
    pub fn forget(&mut self) {
        self.last = None;
    }

    fn directory(&mut self, path: &BStr) -> Result<Rc<OwnedFd>, Failure> {
        let mut directory = Rc::clone(&self.top);
        let mut walked = 0;
        if let Some((last, descriptor)) = &self.last {
            let rest = path.strip_prefix(last.as_slice());
            if rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/') {
                directory = Rc::clone(descriptor);
                walked = last.len();
            }
        }
        while walked < path.len() {
            // One past the `/` that comes first.
            let start = walked + 1;
            let end = path[start..]
                .find_byte(b'/')
                .map_or(path.len(), |length| start + length);
            let name = &path.as_bytes()[start..end];
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let next = openat(&directory, name, flags, Mode::empty());
            let next = next.map_err(|errno| match errno {
                Errno::NOENT | Errno::NOTDIR | Errno::LOOP => {
                    let parent = escape(&path[..end]);
                    let found = stat(&directory, name).ok().flatten();
                    Failure::entry(match found.map(|stat| type_of(&stat)) {
                        None => format!("Linux drops it: {parent} is not there"),
                        Some(FileType::Symlink) => {
                            format!(
                                "leads through {parent}, a symbolic link, which is not followed"
                            )
                        }
                        Some(_) => format!("Linux drops it: {parent} is not a directory"),
                    })
                }
                errno => Failure::Os(errno),
            })?;
            directory = Rc::new(next);
            walked = end;
        }
        self.last = Some((path.to_owned(), Rc::clone(&directory)));
        Ok(directory)
    }
}

impl Place<'_> {
    /// What is there, if anything is.
    pub fn stat(&self) -> io::Result<Option<Stat>> {
        stat(&self.directory, self.name)
    }

    /// As chmod(2), but of a symbolic link it is an error.
    pub fn change_mode(&self, mode: Mode) -> io::Result<()> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let node = openat(&self.directory, self.name, flags, Mode::empty())?;
        // fchmod(2) does not take such a descriptor, and no other can be had without opening a device,
        // which may do something, or a file that nobody may open. This leads to what it is of.
        let name = format!("/proc/self/fd/{}", node.as_raw_fd());
        chmodat(CWD, name, mode, AtFlags::empty())
    }
}

fn stat(directory: &OwnedFd, name: &[u8]) -> io::Result<Option<Stat>> {
    match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

pub(super) fn type_of(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}
