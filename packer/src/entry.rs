//! What an entry of an archive can be.

use bstr::BString;
use std::path::PathBuf;

/// The permission bits that a mode may have: set-user-ID, set-group-ID, sticky, and rwx three times.
pub const MODE_MAX: u32 = 0o7777;

/// One entry of an archive; its path is its key in the [`Tree`](crate::Tree).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Permission bits up to [`MODE_MAX`]. `None` is the usual for its kind: 0755 for a directory
    /// and for a file whose source its owner may execute, 0644 for any other file, 0600 for a
    /// device, a FIFO or a socket, and 0777 for a symbolic link. A hard link has those of its file.
    pub mode: Option<u32>,
    /// Whose it is. A hard link is whose its file is.
    pub owner: Owner,
    /// What it is.
    pub kind: Kind,
}

impl Entry {
    /// A directory that has no mode of its own, as made for a path whose parent nobody named.
    pub(crate) const PARENT: Self = Self::new(Kind::Directory);

    /// An entry of root's with the usual mode.
    pub const fn new(kind: Kind) -> Self {
        Self {
            mode: None,
            owner: Owner::ROOT,
            kind,
        }
    }
}

/// User and group, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl Owner {
    /// Who owns what nobody else is named for.
    pub const ROOT: Self = Self { uid: 0, gid: 0 };
}

/// The kinds of entry that the kernel unpacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory. Its contents are entries of their own.
    Directory,
    /// A regular file.
    File {
        /// Where on this machine its contents are. A symbolic link is followed.
        source: PathBuf,
    },
    /// One more name of a file that is in the archive under another.
    HardLink {
        /// The path in the archive of an entry that is a [`Kind::File`].
        file: BString,
    },
    /// A symbolic link.
    Symlink {
        /// Where it points, written as it is: 1 to 4095 bytes, none of them NUL.
        target: BString,
    },
    /// A character device.
    CharDevice(Device),
    /// A block device.
    BlockDevice(Device),
    /// A named pipe.
    Fifo,
    /// A socket that nobody listens on.
    Socket,
}

impl Kind {
    /// What it is, in words.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::File { .. } => "file",
            Self::HardLink { .. } => "hard link",
            Self::Symlink { .. } => "symbolic link",
            Self::CharDevice(_) => "character device",
            Self::BlockDevice(_) => "block device",
            Self::Fifo => "FIFO",
            Self::Socket => "socket",
        }
    }

    /// The file type bits of `st_mode`, inode(7).
    pub(crate) fn type_bits(&self) -> u32 {
        match self {
            Self::Fifo => 0o010000,
            Self::CharDevice(_) => 0o020000,
            Self::Directory => 0o040000,
            Self::BlockDevice(_) => 0o060000,
            Self::File { .. } | Self::HardLink { .. } => 0o100000,
            Self::Symlink { .. } => 0o120000,
            Self::Socket => 0o140000,
        }
    }
}

/// A device number that the kernel can represent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    major: u32,
    minor: u32,
}

impl Device {
    /// The kernel packs a device number into 32 bits, of which the major number gets 12.
    pub const MAJOR_MAX: u32 = (1 << 12) - 1;
    /// The minor number gets the other 20.
    pub const MINOR_MAX: u32 = (1 << 20) - 1;

    /// `None` if a number is larger than the kernel's, which would silently make another device.
    pub fn new(major: u32, minor: u32) -> Option<Self> {
        let fits = major <= Self::MAJOR_MAX && minor <= Self::MINOR_MAX;
        fits.then_some(Self { major, minor })
    }

    /// The driver.
    pub fn major(self) -> u32 {
        self.major
    }

    /// Which of the driver's devices.
    pub fn minor(self) -> u32 {
        self.minor
    }
}
