//! Reads images as Linux does.
//!
//! An image is a sequence of archives and compressed members. A member can contain several archives.
//! The reader accepts what `unpack_to_rootfs()` of the kernel's init/initramfs.c accepts. To detect
//! damage, it is stricter in five cases:
//! - An archive must end with a trailer. Linux needs none.
//! - An archive must be complete. Linux unpacks an incomplete archive if it is not compressed.
//! - The fields of a header must be hexadecimal. For Linux, any other character ends the number.
//! - The image must have an archive. Linux treats an empty image as no image.
//! - Between archives, there may be up to 1 GiB of NULs, so that reading ends.

mod buffer;
mod contents;
mod foreign;
mod header;
mod item;
mod stream;

pub use crate::file_type::FileType;
pub use contents::Contents;
pub(crate) use contents::Hashed;
pub use item::{CpioArchive, CpioEntry, ImageFile, Item, Link, Skipped};
pub(crate) use stream::NULS_MAX;
pub use stream::Position;

use crate::newc::ALIGN;
use crate::{Error, escape::escape};
use bstr::BString;
use contents::Rest;
use sha2::Digest;
use std::io::{self, ErrorKind, Read};
use stream::Stream;

/// Reads the entries of an image in their order.
///
/// Its memory use is bounded, whatever the image contains.
///
/// ```
/// use packer::reader::{Item, Reader};
/// use packer::{Entry, Kind, Tree, archive};
///
/// let mut tree = Tree::new();
/// tree.insert("/dev", Entry::new(Kind::Directory))?;
/// let image = archive::write(&tree, 0, Vec::new())?;
///
/// let mut reader = Reader::new(&image[..]);
/// let Some(Item::Entry(entry)) = reader.next_item()? else { panic!() };
/// assert_eq!(entry.path, "dev");
/// let Some(Item::Archive(archive)) = reader.next_item()? else { panic!() };
/// assert_eq!(archive.size, 512);
/// assert_eq!(reader.next_item()?, None);
/// # Ok::<(), packer::Error>(())
/// ```
pub struct Reader<R: Read> {
    stream: Stream<R>,
    /// The archive that is being read.
    archive: Option<OpenArchive>,
    /// The number of archives that have ended.
    archives: usize,
    /// Whether the first entry has been read.
    has_started: bool,
    /// The part of the last entry that is not read yet.
    rest: Rest,
    state: ReaderState,
}

#[derive(Clone, Copy, PartialEq)]
enum ReaderState {
    Reading,
    AtEnd,
    Broken,
}

/// An archive that has begun.
struct OpenArchive {
    begin: Position,
    has_trailer: bool,
}

impl<R: Read> Reader<R> {
    /// Reads `image` from its beginning.
    pub fn new(image: R) -> Self {
        Self::start(image, false)
    }

    /// As [`new`](Self::new), and computes the SHA-256 of every archive and of the image.
    pub fn with_hashes(image: R) -> Self {
        Self::start(image, true)
    }

    fn start(image: R, with_hashes: bool) -> Self {
        let stream = Stream::new(image, with_hashes);
        Self {
            archive: None,
            archives: 0,
            has_started: false,
            rest: Rest {
                path: BString::default(),
                position: stream.position(),
                contents: 0,
                sum: None,
                end: 0,
            },
            state: ReaderState::Reading,
            stream,
        }
    }

    /// Reads the next item. `None` at the end of the image. Skips contents of the previous entry that were
    /// not read.
    ///
    /// # Errors
    /// [`Error::Input`] if the image cannot be read, is cut off, or is not valid for Linux. The text begins
    /// with the position. After an error, every call fails.
    pub fn next_item(&mut self) -> Result<Option<Item>, Error> {
        match self.state {
            ReaderState::Reading => {}
            ReaderState::AtEnd => return Ok(None),
            ReaderState::Broken => {
                let error = io::Error::other("nothing can be read after an error");
                return Err(Error::Input(error));
            }
        }
        let result = self.advance();
        self.state = match result {
            Ok(Some(_)) => ReaderState::Reading,
            Ok(None) => ReaderState::AtEnd,
            Err(_) => ReaderState::Broken,
        };
        result.map_err(Error::Input)
    }

    /// Reads the contents of the last entry that [`next_item`](Self::next_item) returned. A symbolic link
    /// has no contents, because [`CpioEntry::target`] has its target.
    ///
    /// The text of an error begins with the position.
    pub fn contents(&mut self) -> Contents<'_, R> {
        Contents(self)
    }

    /// Size and hash of the image. `None` until [`next_item`](Self::next_item) has returned `None`.
    pub fn image(&self) -> Option<ImageFile> {
        match self.state {
            ReaderState::AtEnd => self.stream.image(),
            ReaderState::Reading | ReaderState::Broken => None,
        }
    }

    fn advance(&mut self) -> io::Result<Option<Item>> {
        self.finish_entry()?;
        loop {
            let next = self.stream.skip_nuls()?;
            let position = self.stream.position();
            let is_aligned = position.byte % ALIGN == 0;
            match (next, &self.archive) {
                (Some(_), Some(_)) if !is_aligned => {
                    return Err(position.invalid(
                        "the data after an entry must begin at a multiple of 4; the number of NULs before \
                         it is wrong",
                    ));
                }
                (_, Some(archive)) if archive.has_trailer => {
                    return Ok(self.end_archive().map(Item::Archive));
                }
                (Some(b'0'), _) if is_aligned => {
                    if let Some(entry) = self.read_entry(position)? {
                        return Ok(Some(Item::Entry(entry)));
                    }
                    self.finish_entry()?;
                }
                (Some(found), Some(_)) => {
                    return Err(position.invalid(format_args!(
                        "expected the next entry or the trailer, found {}",
                        show(&[found])
                    )));
                }
                (None, Some(_)) => {
                    return Err(position.error(
                        ErrorKind::UnexpectedEof,
                        "expected the next entry or the trailer, found the end; was it cut off?",
                    ));
                }
                (Some(found), None) if position.member.is_some() => {
                    let start = self.stream.fill()?;
                    let found = foreign::identify(start, 0, 0).unwrap_or_else(|| show(&[found]));
                    return Err(position
                        .invalid(format_args!("expected an archive or NULs, found {found}")));
                }
                (Some(b'0'), None) => {
                    return Err(position
                        .invalid("an archive has to begin at a multiple of 4; pad with NULs"));
                }
                (Some(_), None) => self.enter_member()?,
                (None, None) => {
                    if !self.stream.leave_member() {
                        return self.end_image(position).map(|()| None);
                    }
                }
            }
        }
    }

    /// Enters a compressed member. The first member must begin with an entry: Linux skips NULs only after
    /// an entry, and refuses a member that ends before the first entry.
    fn enter_member(&mut self) -> io::Result<()> {
        let skipped = match self.has_started {
            true => 0,
            false => self.stream.position().byte,
        };
        self.stream.enter_member(skipped)?;
        if self.has_started {
            return Ok(());
        }
        let found = match self.stream.peek()? {
            Some(0) => "a NUL, which can only come after an archive",
            None => "nothing",
            Some(_) => return Ok(()),
        };
        let position = self.stream.position();
        Err(position.invalid(format_args!("expected an archive, found {found}")))
    }

    /// Refuses an image without archives. Linux accepts it silently, but it must be a mistake.
    fn end_image(&self, position: Position) -> io::Result<()> {
        match position.byte {
            _ if self.archives > 0 => Ok(()),
            0 => Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                "the file is empty; Linux would boot without an initramfs",
            )),
            _ => Err(position.error(
                ErrorKind::UnexpectedEof,
                "expected an archive, found only NULs",
            )),
        }
    }

    fn end_archive(&mut self) -> Option<CpioArchive> {
        let OpenArchive { begin, .. } = self.archive.take()?;
        self.archives += 1;
        let end = self.stream.position();
        Some(CpioArchive {
            offset: begin.member.map_or(begin.byte, |(_, offset)| offset),
            format: begin.member.map(|(format, _)| format),
            size: end.byte - begin.byte,
            sha256: self.stream.hash.clone().map(|hash| hash.finalize().into()),
        })
    }
}

/// The first bytes, escaped, in backquotes.
fn show(bytes: &[u8]) -> String {
    const MANY: usize = 64;
    match bytes.get(..MANY) {
        Some(start) => format!("`{}...`", escape(start)),
        None => format!("`{}`", escape(bytes)),
    }
}
