//! What an entry of an archive can be.

use crate::file_type::FileType;
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
    /// The name of its file type, or `hard link`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::HardLink { .. } => "hard link",
            kind => kind.file_type().name(),
        }
    }

    /// The file type that the archive has for it.
    pub(crate) fn file_type(&self) -> FileType {
        match self {
            Self::Directory => FileType::Directory,
            Self::File { .. } | Self::HardLink { .. } => FileType::File,
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
