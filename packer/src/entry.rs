//! The entries of a [`Tree`](crate::Tree).

use crate::file_type::FileType;
use bstr::BString;
use std::path::PathBuf;

/// All permission bits: set-user-ID, set-group-ID, sticky, and rwx for owner, group and others.
pub const MODE_MAX: u32 = 0o7777;

/// An entry to be packed. Its path is its key in the [`Tree`](crate::Tree).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Permission bits up to [`MODE_MAX`]. `None` means the usual ones of its kind: 0755 for a directory
    /// and for a file whose source has the owner's execute bit, 0644 for any other file, 0600 for a
    /// device, a FIFO or a socket, and 0777 for a symbolic link. For a hard link, those of its file count.
    pub mode: Option<u32>,
    /// User and group. For a hard link, those of its file count.
    pub owner: Owner,
    /// Time of the last modification, in seconds since 1970. `None` means that of the archive. For a hard link, that
    /// of its file counts.
    pub mtime: Option<u32>,
    /// The kind, with its data.
    pub kind: Kind,
}

impl Entry {
    /// A directory that the tree adds because an entry below it needs it: owned by root, without a mode.
    pub(crate) const PARENT: Self = Self::new(Kind::Directory);

    /// An entry owned by root, with the usual mode.
    pub const fn new(kind: Kind) -> Self {
        Self {
            mode: None,
            owner: Owner::ROOT,
            mtime: None,
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
    /// The owner of every entry for which the user names no other.
    pub const ROOT: Self = Self { uid: 0, gid: 0 };
}

/// What to pack: a file type with its data, or a hard link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory. Its contents are entries of their own.
    Directory,
    /// A regular file.
    File {
        /// The file on this machine that has the contents. A symbolic link is followed.
        source: PathBuf,
    },
    /// A regular file whose contents are in memory. Hard links cannot lead to it.
    Contents {
        /// The contents.
        bytes: Vec<u8>,
    },
    /// Another name of a file in the archive.
    HardLink {
        /// The path in the archive of the [`Kind::File`].
        file: BString,
    },
    /// A symbolic link.
    Symlink {
        /// The path that it leads to, written unchanged: 1 to 4095 bytes, none of them NUL.
        target: BString,
    },
    /// A character device.
    CharDevice(Device),
    /// A block device.
    BlockDevice(Device),
    /// A named pipe.
    Fifo,
    /// A socket, without a process that listens on it.
    Socket,
}

impl Kind {
    /// The name of its file type, or `hard link`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::HardLink { .. } => "hard link",
            kind => kind.file_type().name(),
        }
    }

    /// Its file type in the archive.
    pub(crate) fn file_type(&self) -> FileType {
        match self {
            Self::Directory => FileType::Directory,
            Self::File { .. } | Self::Contents { .. } | Self::HardLink { .. } => FileType::File,
            Self::Symlink { .. } => FileType::Symlink,
            Self::CharDevice(_) => FileType::CharDevice,
            Self::BlockDevice(_) => FileType::BlockDevice,
            Self::Fifo => FileType::Fifo,
            Self::Socket => FileType::Socket,
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
    /// The kernel stores a device number in 32 bits. The major number gets 12 of them,
    pub const MAJOR_MAX: u32 = (1 << 12) - 1;
    /// and the minor number 20.
    pub const MINOR_MAX: u32 = (1 << 20) - 1;

    /// `None` if a number is too large for the kernel, which would silently make another device.
    pub fn new(major: u32, minor: u32) -> Option<Self> {
        let fits = major <= Self::MAJOR_MAX && minor <= Self::MINOR_MAX;
        fits.then_some(Self { major, minor })
    }

    /// The major number, which selects the driver.
    pub fn major(self) -> u32 {
        self.major
    }

    /// The minor number, which selects one of the driver's devices.
    pub fn minor(self) -> u32 {
        self.minor
    }
}
