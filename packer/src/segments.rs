//! The segments of an image: its uncompressed archives and its compressed data, in their order in the file.
//!
//! ```
//! use packer::{Entry, Kind, Tree, archive, segments};
//! # let mut tree = Tree::new();
//! # tree.insert("/etc/hostname", Entry::new(Kind::Contents { bytes: b"guest\n".to_vec() }))?;
//! # let image = archive::write(&tree, 0, Vec::new())?;
//!
//! let mut offsets = Vec::new();
//! segments::read(&[&image[..], &image].concat()[..], &mut |segment| {
//!     offsets.push(segment.offset);
//!     Ok(())
//! })?;
//! assert_eq!(offsets, [0, 512]);
//! # Ok::<(), packer::Error>(())
//! ```

use crate::Error;
use crate::decompress::Format;
use crate::early::{ACPI, MICROCODE};
use crate::reader::{CpioArchive, CpioEntry, FileType, Item, Reader};
use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;

/// An archive that is not compressed, or compressed data with one archive or several in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it begins, in bytes.
    pub offset: u64,
    /// The size in the image in bytes, with the NULs after it.
    pub size: u64,
    /// The format of its compression, if it is compressed.
    pub format: Option<Format>,
    /// The size of the archives in bytes, decompressed.
    pub unpacked: u64,
    /// The number of archives.
    pub archives: usize,
    /// The number of entries, without trailers.
    pub entries: usize,
    /// What it has.
    pub parts: BTreeSet<Part>,
}

/// A kind of files, by who reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Microcode, which Linux loads before it unpacks the image.
    Microcode,
    /// ACPI tables, which Linux reads before it unpacks the image.
    AcpiTables,
    /// Files for the root file system. Directories alone do not count.
    Files,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Microcode => "microcode",
            Self::AcpiTables => "acpi-tables",
            Self::Files => "files",
        })
    }
}

/// Reads an image, and calls `found` with each segment when it has been read.
///
/// # Errors
/// Those of [`Reader::next_item`] and of `found`.
pub fn read(
    image: impl Read,
    found: &mut dyn FnMut(Segment) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut reader = Reader::new(image);
    let mut last: Option<Segment> = None;
    let (mut entries, mut parts) = (0, BTreeSet::new());
    let mut is_early = true;
    while let Some(item) = reader.next_item()? {
        match item {
            Item::Entry(entry) => {
                is_early &= entry.position.member.is_none();
                entries += 1;
                parts.extend(part(&entry, is_early));
            }
            Item::Archive(archive) => {
                let next = segment(
                    &archive,
                    std::mem::take(&mut entries),
                    std::mem::take(&mut parts),
                );
                match &mut last {
                    Some(last) if last.format.is_some() && last.offset == next.offset => {
                        last.unpacked += next.unpacked;
                        last.archives += 1;
                        last.entries += next.entries;
                        last.parts.extend(next.parts);
                    }
                    _ => {
                        if let Some(last) = last.take() {
                            found(until(last, next.offset))?;
                        }
                        last = Some(next);
                    }
                }
            }
        }
    }
    let end = reader.image().map_or(0, |image| image.size);
    last.map_or(Ok(()), |last| found(until(last, end)))
}

fn segment(archive: &CpioArchive, entries: usize, parts: BTreeSet<Part>) -> Segment {
    Segment {
        offset: archive.offset,
        size: 0,
        format: archive.format,
        unpacked: archive.size,
        archives: 1,
        entries,
        parts,
    }
}

fn until(segment: Segment, end: u64) -> Segment {
    Segment {
        size: end - segment.offset,
        ..segment
    }
}

/// What an entry is for. `is_early`: the early loader gets to it.
fn part(entry: &CpioEntry, is_early: bool) -> Option<Part> {
    let is_file = entry.file_type() == Some(FileType::File);
    let path = entry.path.as_slice();
    if is_early && is_file {
        if MICROCODE.iter().any(|known| path == known.as_bytes()) {
            return Some(Part::Microcode);
        }
        if path.starts_with(ACPI.as_bytes()) {
            return Some(Part::AcpiTables);
        }
    }
    (entry.file_type() != Some(FileType::Directory)).then_some(Part::Files)
}
