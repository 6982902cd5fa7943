//! The items that a [`Reader`](super::Reader) returns.

use super::stream::Position;
use crate::decompress::Format;
use crate::file_type::FileType;
use crate::newc::{Header, S_IFMT};
use bstr::BString;
use std::fmt;

/// The next item of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// An entry. [`Reader::contents`](super::Reader::contents) reads its contents.
    Entry(CpioEntry),
    /// The end of the archive of the entries before. A trailer is not an entry.
    Archive(CpioArchive),
}

/// An entry as it is in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpioEntry {
    /// The header.
    pub header: Header,
    /// Whether the header has a checksum: magic 070702. Like Linux, the reader checks it for files only.
    pub has_checksum: bool,
    /// The path up to its first NUL. If it is too long for Linux, only the first 4096 bytes.
    pub path: BString,
    /// The target of a symbolic link up to the first NUL. Empty for other entries.
    pub target: BString,
    /// The number of its archive in the image, from 0.
    pub archive: usize,
    /// The position of its header.
    pub position: Position,
    /// The reason if Linux skips the entry, which it does without a message.
    pub skipped: Option<Skipped>,
}

impl CpioEntry {
    /// The file type. `None` if Linux has no type with these mode bits.
    pub fn file_type(&self) -> Option<FileType> {
        FileType::of_mode(self.header.mode)
    }

    /// The key that all names of the file have in common, within the archive. `None` if the file has only
    /// one name.
    pub fn link(&self) -> Option<Link> {
        let Header {
            devmajor,
            devminor,
            ino,
            mode,
            nlink,
            ..
        } = self.header;
        (nlink >= 2).then_some((devmajor, devminor, ino, mode & S_IFMT))
    }
}

/// Device, inode number and file type, by which `find_link()` of the kernel's init/initramfs.c finds the
/// names of a file.
pub type Link = (u32, u32, u32, u32);

/// Why Linux skips an entry: `do_header()` and `do_name()` of init/initramfs.c.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// The path, with its NUL, is empty or longer than `PATH_MAX`.
    Path,
    /// The path ends in `/`, `.` or `..`, but the entry is not a directory.
    Directory,
    /// The target of a symbolic link is longer than `PATH_MAX`.
    Target,
    /// The entry has contents, but is neither a file nor a symbolic link.
    Contents,
    /// The mode has no file type that Linux knows.
    Type,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Path => "its path is not 1 to 4095 bytes long",
            Self::Directory => "its path is that of a directory, but it is not a directory",
            Self::Target => "its target is longer than 4095 bytes",
            Self::Contents => "it has contents, but is not a file",
            Self::Type => "its mode has an unknown file type",
        })
    }
}

/// An archive, from its first header to the last NUL after its trailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpioArchive {
    /// The byte of the image where it begins. For a compressed archive, where its member begins.
    pub offset: u64,
    /// The format of its compression, if it is compressed.
    pub format: Option<Format>,
    /// Uncompressed size in bytes.
    pub size: u64,
    /// SHA-256 of the uncompressed bytes, if the reader computes hashes.
    pub sha256: Option<[u8; 32]>,
}

/// The image file as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageFile {
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of the file, if the reader computes hashes.
    pub sha256: Option<[u8; 32]>,
}
