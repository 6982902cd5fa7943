//! Files of any type, identified by a descriptor and not by a path that another process could redirect.

use super::Failure;
use super::confined::Place;
use crate::file_type;
use rustix::fs::{
    self, AtFlags, CWD, FileType, Gid, Mode, OFlags, Statx, StatxFlags, StatxTimestamp, Timestamps,
    Uid,
};
use rustix::io::{self, Errno};
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// The directory in which each descriptor has a path.
const DESCRIPTORS: &str = "/proc/self/fd";

/// How many seconds the ctime of a new file may be after its birth. Some file systems round to two.
const MAKING: i64 = 2;

/// A file of any type. The descriptor has `O_PATH`, because really opening a device can have effects, and
/// opening a FIFO can block for ever.
pub(super) struct Node {
    descriptor: OwnedFd,
    identity: Identity,
    mode: Mode,
    owner: (Uid, Gid),
    is_new: bool,
}

/// The identity of a file. It also differs from that of a later file with the same inode number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: (u32, u32),
    inode: u64,
    file_type: FileType,
    /// The time of birth, which nobody can set. Zero if the file system does not record it.
    birth: (i64, u32),
}

impl Hash for Identity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let file_type = self.file_type.as_raw_mode();
        (self.device, self.inode, file_type, self.birth).hash(state);
    }
}

impl Identity {
    /// The identity of the file with the descriptor `file`.
    pub fn of(file: impl AsFd) -> io::Result<Self> {
        statx(file).map(|stat| Self::new(&stat))
    }

    fn new(stat: &Statx) -> Self {
        let birth = birth(stat).map(|birth| (birth.tv_sec, birth.tv_nsec));
        Self {
            device: (stat.stx_dev_major, stat.stx_dev_minor),
            inode: stat.stx_ino,
            file_type: FileType::from_raw_mode(stat.stx_mode.into()),
            birth: birth.unwrap_or_default(),
        }
    }
}

impl Node {
    /// The file at a name in a directory, if there is one. A symbolic link is not followed.
    pub fn find(directory: &OwnedFd, name: &[u8]) -> io::Result<Option<Self>> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = match fs::openat(directory, name, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            result => result?,
        };
        let stat = statx(&descriptor)?;
        Ok(Some(Self {
            descriptor,
            identity: Identity::new(&stat),
            mode: Mode::from_raw_mode(stat.stx_mode.into()),
            owner: (Uid::from_raw(stat.stx_uid), Gid::from_raw(stat.stx_gid)),
            is_new: is_new(&stat),
        }))
    }

    pub fn identity(&self) -> Identity {
        self.identity
    }

    pub fn file_type(&self) -> FileType {
        self.identity.file_type
    }

    pub fn type_name(&self) -> &'static str {
        let file_type = file_type::FileType::of_mode(self.file_type().as_raw_mode());
        file_type.map_or("file of an unknown type", file_type::FileType::name)
    }

    pub fn mode(&self) -> Mode {
        self.mode
    }

    pub fn owner(&self) -> (Uid, Gid) {
        self.owner
    }

    /// Whether the file can have been made just now: it has one name and was not changed since it was made.
    /// If another process moves or links an older file to the name, its ctime changes, which nobody can set.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The descriptor, for looking up names in a directory.
    pub fn into_descriptor(self) -> OwnedFd {
        self.descriptor
    }

    /// Makes a hard link to it.
    pub fn link(&self, place: &Place) -> Result<(), Failure> {
        let Place {
            directory, name, ..
        } = place;
        self.by_path(|path| fs::linkat(CWD, path, directory, *name, AtFlags::SYMLINK_FOLLOW))
    }

    /// Opens a regular file to write to it.
    pub fn open_file(&self, truncate: bool) -> Result<File, Failure> {
        let mut flags = OFlags::WRONLY | OFlags::CLOEXEC;
        flags.set(OFlags::TRUNC, truncate);
        let file = self.by_path(|path| fs::open(path, flags, Mode::empty()))?;
        Ok(file.into())
    }

    /// Opens a directory.
    pub fn open_directory(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        fs::openat(&self.descriptor, ".", flags, Mode::empty())
    }

    /// Fails for a symbolic link, which has no mode.
    pub fn change_mode(&self, mode: Mode) -> Result<(), Failure> {
        self.by_path(|path| fs::chmod(path, mode))
    }

    pub fn change_owner(&self, user: Option<Uid>, group: Option<Gid>) -> io::Result<()> {
        fs::chownat(&self.descriptor, "", user, group, AtFlags::EMPTY_PATH)
    }

    pub fn change_times(&self, times: &Timestamps) -> Result<(), Failure> {
        match fs::utimensat(&self.descriptor, "", times, AtFlags::EMPTY_PATH) {
            // Before 5.8, Linux did not take the flag.
            Err(Errno::INVAL) => {
                self.by_path(|path| fs::utimensat(CWD, path, times, AtFlags::empty()))
            }
            result => Ok(result?),
        }
    }

    /// Calls a system call that does not accept an `O_PATH` descriptor. Its path in `/proc` leads to the
    /// file itself, even if another file has its name by now.
    fn by_path<T>(&self, call: impl FnOnce(&str) -> io::Result<T>) -> Result<T, Failure> {
        let path = format!("{DESCRIPTORS}/{}", self.descriptor.as_raw_fd());
        call(&path).map_err(|errno| match errno {
            Errno::NOENT if fs::stat(DESCRIPTORS).is_err() => {
                Failure::entry("cannot be changed after it was made: /proc is not there; mount it")
            }
            errno => errno.into(),
        })
    }
}

/// The time of birth, if the file system records it.
fn birth(stat: &Statx) -> Option<StatxTimestamp> {
    let is_known = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
    is_known.then_some(stat.stx_btime)
}

fn is_new(stat: &Statx) -> bool {
    // Without a time of birth, use the mtime: a process that may only link to the file cannot set it.
    let made = birth(stat).unwrap_or(stat.stx_mtime);
    // Each subdirectory adds to the link count of a directory.
    let is_linked = stat.stx_nlink > 1 && stat.stx_mode & 0o170000 != 0o040000;
    !is_linked && stat.stx_ctime.tv_sec - made.tv_sec <= MAKING
}

fn statx(file: impl AsFd) -> io::Result<Statx> {
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
    fs::statx(file, "", AtFlags::EMPTY_PATH, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs::File as Directory, thread, time::Duration};

    /// Another process may link an old file to the name and remove the old name again before the link count
    /// is checked.
    #[test]
    fn what_had_another_name_is_not_new() {
        let directory = tempfile::tempdir().unwrap();
        let opened = OwnedFd::from(Directory::open(directory.path()).unwrap());
        let is_new = |name: &str| {
            Node::find(&opened, name.as_bytes())
                .unwrap()
                .unwrap()
                .is_new()
        };
        fs::mkfifoat(&opened, "a", Mode::RUSR).unwrap();
        fs::mkdirat(&opened, "d", Mode::RWXU).unwrap();
        assert!(is_new("a") && is_new("d"));
        fs::linkat(&opened, "a", &opened, "b", AtFlags::empty()).unwrap();
        assert!(!is_new("a"));
        thread::sleep(Duration::from_secs(MAKING as u64 + 1));
        fs::unlinkat(&opened, "b", AtFlags::empty()).unwrap();
        fs::renameat(&opened, "d", &opened, "e").unwrap();
        assert!(!is_new("a") && !is_new("e"));
    }
}
