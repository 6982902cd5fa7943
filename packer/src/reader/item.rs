//! What comes out of an image.

use super::stream::Position;
use crate::decompress::Format;
use crate::file_type::FileType;
use crate::newc::{Header, S_IFMT};
use bstr::BString;
use std::fmt;

/// What is next in an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// An entry, whose contents [`Reader::contents`](super::Reader::contents) gives.
    Entry(CpioEntry),
    /// The end of the archive that the entries before were in. A trailer is no entry.
    Archive(CpioArchive),
}

/// An entry as it is in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpioEntry {
    /// Its header.
    pub header: Header,
    /// Whether the header has a checksum: magic 070702. The reader compares it, for files, as Linux
    /// does.
    pub has_checksum: bool,
    /// The path up to its first NUL. Of one that is longer than Linux takes, the first 4096 bytes.
    pub path: BString,
    /// Where a symbolic link points, up to the first NUL; else empty.
    pub target: BString,
    /// Which archive of the image it is in, from 0.
    pub archive: usize,
    /// Where its header begins.
    pub position: Position,
    /// Why Linux goes past it and says nothing, if it does.
    pub skipped: Option<Skipped>,
}

impl CpioEntry {
    /// What it is; `None` if the mode has bits for something that Linux does not know.
    pub fn file_type(&self) -> Option<FileType> {
        FileType::of_mode(self.header.mode)
    }

    /// What tells it from files that are not other names of it: nothing if it has no other names.
    /// Valid up to the end of the archive.
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

/// `find_link()` of the kernel's init/initramfs.c: device, inode and type.
pub type Link = (u32, u32, u32, u32);

/// Why Linux skips an entry: `do_header()` and `do_name()` of init/initramfs.c.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// The path, with its NUL, is empty or longer than `PATH_MAX`.
    Path,
    /// The path can only be a directory's, as it ends in `/`, `.` or `..`, and this is none.
    Directory,
    /// The target of a symbolic link is longer than `PATH_MAX`.
    Target,
    /// It has contents and is neither a file nor a symbolic link.
    Contents,
    /// The mode says nothing that can be made.
    Type,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Path => "its path is not 1 to 4095 bytes long",
            Self::Directory => "its path is one of a directory, which it is not",
            Self::Target => "its target is longer than 4095 bytes",
            Self::Contents => "it has contents, but is not a file",
            Self::Type => "its mode has the type of nothing that there is",
        })
    }
}

/// An archive, from its first header to the last NUL after its trailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpioArchive {
    /// Where in the image it begins, or where the compressed member begins that it is in.
    pub offset: u64,
    /// How it is compressed.
    pub format: Option<Format>,
    /// Bytes, unpacked.
    pub size: u64,
    /// SHA-256 of these, if hashes were asked for.
    pub sha256: Option<[u8; 32]>,
}

/// The image as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageFile {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of these, if hashes were asked for.
    pub sha256: Option<[u8; 32]>,
}
