//! Reading images as Linux does.
//!
//! An image is a sequence of archives, each as it is or in a compressed member, and a member can hold
//! several archives. What may be between them, and what is an error, is what `unpack_to_rootfs()` in
//! the kernel's init/initramfs.c says, but for these, to notice that an image is damaged:
//! - every archive ends with a trailer; Linux wants none;
//! - all of an archive is there; where it is not compressed, Linux unpacks what there is;
//! - fields of headers are hexadecimal; Linux takes any other character for the end of a number;
//! - there is an archive; to Linux, an image that is empty is the same as none.

mod buffer;
mod contents;
mod foreign;
mod header;
mod item;
mod stream;

pub use crate::file_type::FileType;
pub use contents::Contents;
pub use item::{CpioArchive, CpioEntry, ImageFile, Item, Link, Skipped};
pub use stream::Position;

use crate::newc::ALIGN;
use crate::{Error, escape::escape};
use bstr::BString;
use contents::Rest;
use sha2::Digest;
use std::io::{self, ErrorKind, Read};
use stream::Stream;

/// Reads the entries of an image, in their order.
///
/// Memory is bounded, whatever the image says.
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
    /// The archive that has begun and has not ended.
    archive: Option<OpenArchive>,
    /// How many have ended.
    archives: usize,
    /// Whether there was an entry yet.
    has_started: bool,
    /// What of the last entry is still to be read.
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

    /// What comes next, or `None` at the end of the image. What was not read of the contents of the
    /// entry before is skipped.
    ///
    /// # Errors
    /// [`Error::Input`], which begins with the position, if the image cannot be read, is cut off, or
    /// is not what Linux unpacks; and whenever there was an error before.
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

    /// What is still to be read of the contents of the entry that [`next_item`](Self::next_item) gave
    /// last. A symbolic link has none, as the entry has its target.
    ///
    /// Errors begin with the position.
    pub fn contents(&mut self) -> Contents<'_, R> {
        Contents(self)
    }

    /// The image, once [`next_item`](Self::next_item) has given `None`.
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
                        "the number of NULs before this does not make it a multiple of 4, as what \
                         follows an entry has to be",
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

    /// Linux is about to read a header at the very beginning, and looks for NULs only after one. And
    /// it wants to be past an entry at a member's end.
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

    /// Of an image without archives, Linux says nothing. It is one that went wrong.
    fn end_image(&self, position: Position) -> io::Result<()> {
        match position.byte {
            _ if self.archives > 0 => Ok(()),
            0 => Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                "the file is empty; Linux would take it for no initramfs at all",
            )),
            _ => Err(position.error(
                ErrorKind::UnexpectedEof,
                "expected an archive, found the end, with nothing but NULs before it",
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

/// Bytes between backquotes, and not too many of them.
fn show(bytes: &[u8]) -> String {
    const MANY: usize = 64;
    match bytes.get(..MANY) {
        Some(start) => format!("`{}...`", escape(start)),
        None => format!("`{}`", escape(bytes)),
    }
}
