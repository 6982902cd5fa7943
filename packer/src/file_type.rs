//! The file types of inode(7).

use crate::newc::S_IFMT;

/// A file type that the kernel unpacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileType {
    /// A named pipe.
    Fifo,
    /// A character device.
    CharDevice,
    /// A directory.
    Directory,
    /// A block device.
    BlockDevice,
    /// A regular file.
    File,
    /// A symbolic link.
    Symlink,
    /// A socket.
    Socket,
}

/// Each type, its bits in a mode, and its name.
const TYPES: [(FileType, u32, &str); 7] = [
    (FileType::Fifo, 0o010000, "FIFO"),
    (FileType::CharDevice, 0o020000, "character device"),
    (FileType::Directory, 0o040000, "directory"),
    (FileType::BlockDevice, 0o060000, "block device"),
    (FileType::File, 0o100000, "file"),
    (FileType::Symlink, 0o120000, "symbolic link"),
    (FileType::Socket, 0o140000, "socket"),
];

impl FileType {
    /// The type that `mode` has in its upper bits. `None` if Linux has no such type.
    pub fn of_mode(mode: u32) -> Option<Self> {
        let row = TYPES.iter().find(|(_, bits, _)| *bits == mode & S_IFMT);
        row.map(|(file_type, _, _)| *file_type)
    }

    /// The file type bits of a mode.
    pub(crate) fn bits(self) -> u32 {
        self.row().1
    }

    /// The type in words.
    pub(crate) fn name(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Self, u32, &'static str) {
        let row = TYPES.iter().find(|(file_type, _, _)| *file_type == self);
        row.expect("the table has every type")
    }
}
