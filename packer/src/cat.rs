//! Writes the contents of files of an image.
//!
//! ```
//! use packer::{Entry, Kind, Tree, archive, cat};
//! use std::io::Cursor;
//! # let mut tree = Tree::new();
//! # tree.insert("/etc/hostname", Entry::new(Kind::Contents { bytes: b"guest\n".to_vec() }))?;
//! # let image = archive::write(&tree, 0, Vec::new())?;
//!
//! let mut out = Vec::new();
//! cat::cat(&mut Cursor::new(image), &["/etc/hostname"], &mut out, &mut |error| panic!("{error}"))?;
//! assert_eq!(out, b"guest\n");
//! # Ok::<(), packer::Error>(())
//! ```

use crate::Error;
use crate::manifest::{ManifestEntry, ManifestKind};
use crate::paths::{absolute, names};
use crate::reader::{CpioEntry, Item, Link, Reader};
use crate::rootfs::Rootfs;
use bstr::{BStr, BString, ByteSlice};
use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::iter::Peekable;

/// Writes to `out` the contents of the files at `paths`, in this order. `image` begins at its current position.
///
/// The contents are those of the files that Linux unpacks: an archive overrides earlier ones, all names of a file
/// have the last contents of the names in its archive, and paths lead through symbolic links. If there is no such
/// file, an entry of this name counts that Linux does not unpack because its directory is missing: the early loader
/// reads microcode from such entries.
///
/// Only the end of the image tells which entry counts, so this reads the image twice. It reads it again if `paths` are
/// not in the order of the image, or if a symbolic link leads to a file. The memory depends on the number of
/// directories, symbolic links, special files and names of files with several names, but not on that of other files.
///
/// If no file is at a path, `report` gets an [`Error::At`] with the path, and nothing is written.
///
/// # Errors
/// [`Error::Input`] if the image cannot be read or is damaged. In the usual case, nothing has been written then.
/// [`Error::Output`] if `out` fails.
pub fn cat(
    image: &mut (impl Read + Seek),
    paths: &[impl AsRef<[u8]>],
    out: &mut dyn Write,
    report: &mut dyn FnMut(Error),
) -> Result<(), Error> {
    let start = image.stream_position().map_err(Error::Input)?;
    let mut names = Names::of(paths);
    let mut index = Index::read(&mut *image, paths, &names)?;
    // Only the symbolic links tell the other names that the files have. One more time suffices, because all links are
    // known then.
    if names.add_missing(&index, paths) {
        let start = SeekFrom::Start(start);
        image.seek(start).map_err(Error::Input)?;
        index = Index::read(&mut *image, paths, &names)?;
    }
    let mut wanted = Vec::new();
    for path in paths.iter().map(AsRef::as_ref) {
        match index.find(path) {
            Ok(number) => wanted.push(number),
            Err(reason) => report(Error::entry(path, reason)),
        }
    }
    if wanted.len() < paths.len() {
        return Ok(());
    }
    let mut wanted = wanted.into_iter().peekable();
    while wanted.peek().is_some() {
        let start = SeekFrom::Start(start);
        image.seek(start).map_err(Error::Input)?;
        pass(Reader::new(&mut *image), &mut wanted, out)?;
    }
    Ok(())
}

/// The names, without directories, of all files that are looked up.
struct Names(HashSet<BString>);

impl Names {
    fn of(paths: &[impl AsRef<[u8]>]) -> Self {
        let mut names = Self(HashSet::new());
        for path in paths {
            names.add(path.as_ref());
        }
        names
    }

    /// Also adds the names of the directories, because the image may have files in their place.
    fn add(&mut self, path: &[u8]) -> bool {
        let count = self.0.len();
        self.0.extend(names(path.as_bstr()).map(BStr::to_owned));
        self.0.len() > count
    }

    /// Adds the names of what was not found. Returns whether any of them is new.
    fn add_missing(&mut self, index: &Index, paths: &[impl AsRef<[u8]>]) -> bool {
        let lost = paths
            .iter()
            .filter_map(|path| index.rootfs.lookup(path.as_ref()).err());
        lost.fold(false, |any, lost| {
            any | lost.missing().is_some_and(|path| self.add(path))
        })
    }

    /// Whether the model of the file system needs the entry: its name is one of these, or other paths can lead to it or
    /// through it.
    fn need(&self, entry: &CpioEntry, unpacked: &ManifestEntry) -> bool {
        let is_simple =
            matches!(unpacked.kind, ManifestKind::File { .. }) && entry.link().is_none();
        !is_simple
            || names(unpacked.path.as_bstr())
                .last()
                .is_none_or(|name| self.0.contains(name))
    }
}

/// Which entries have the contents of the files. Entries have numbers, from 0.
#[derive(Default)]
struct Index {
    rootfs: Rootfs,
    /// The entry with the contents of each file, by inode.
    contents: HashMap<usize, usize>,
    /// The first names of the files with several names in the current archive.
    links: HashMap<Link, BString>,
    /// The last entry with each of the paths in question.
    named: HashMap<BString, Option<usize>>,
}

impl Index {
    fn read(image: impl Read, paths: &[impl AsRef<[u8]>], names: &Names) -> Result<Self, Error> {
        let paths = paths.iter().map(|path| absolute(path.as_ref()));
        let mut index = Self {
            named: paths.map(|path| (path, None)).collect(),
            ..Self::default()
        };
        let mut reader = Reader::new(image);
        let mut number = 0;
        while let Some(item) = reader.next_item()? {
            match item {
                Item::Archive(_) => index.links.clear(),
                Item::Entry(entry) => {
                    index.add(&entry, number, names);
                    number += 1;
                }
            }
        }
        Ok(index)
    }

    fn add(&mut self, entry: &CpioEntry, number: usize, names: &Names) {
        // Linux skips the other entries.
        let Some(mut unpacked) = ManifestEntry::of(entry) else {
            return;
        };
        if !names.need(entry, &unpacked) && self.rootfs.pass_over(&unpacked.path) {
            return;
        }
        let mut has_contents = false;
        if let ManifestKind::File {
            size, hard_link_to, ..
        } = &mut unpacked.kind
        {
            if let Some(link) = entry.link() {
                let first = self.links.get(&link).cloned();
                self.links
                    .entry(link)
                    .or_insert_with(|| unpacked.path.clone());
                *hard_link_to = first;
            }
            // Only the first name of a file truncates it.
            has_contents = *size > 0 || hard_link_to.is_none();
        }
        // `packer verify` reports what Linux does not unpack.
        let _ = self.rootfs.unpack(&unpacked);
        if has_contents {
            if let Some(node) = self.rootfs.node(&unpacked.path) {
                self.contents.insert(node, number);
            }
            if let Some(named) = self.named.get_mut(&unpacked.path) {
                *named = Some(number);
            }
        }
    }

    /// The entry with the contents of the file at `path`, or why there is none.
    fn find(&self, path: &[u8]) -> Result<usize, String> {
        let found = match self.rootfs.lookup(path) {
            Ok(found) => found,
            Err(lost) => {
                let named = self.named.get(&absolute(path));
                return named.copied().flatten().ok_or_else(|| lost.to_string());
            }
        };
        let kind = &self.rootfs.entry(found.node).kind;
        let contents = self.contents.get(&found.node).copied();
        contents
            .filter(|_| matches!(kind, ManifestKind::File { .. }))
            .ok_or_else(|| {
                let kind = kind.file_type().name();
                format!("is a {kind}; only a file has contents")
            })
    }
}

/// Writes the contents of the next entries of `wanted`, as long as they are in the order of the image.
fn pass(
    mut reader: Reader<impl Read>,
    wanted: &mut Peekable<impl Iterator<Item = usize>>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut read = 0;
    while let Some(number) = wanted.next_if(|&number| number >= read) {
        while read <= number {
            match reader.next_item()? {
                Some(Item::Entry(_)) => read += 1,
                Some(Item::Archive(_)) => {}
                None => {
                    let reason = "another process has changed the image; try again";
                    return Err(Error::Input(io::Error::other(reason)));
                }
            }
        }
        let mut contents = reader.contents();
        loop {
            let bytes = contents.fill_buf().map_err(Error::Input)?;
            if bytes.is_empty() {
                break;
            }
            out.write_all(bytes).map_err(Error::Output)?;
            let written = bytes.len();
            contents.consume(written);
        }
    }
    Ok(())
}
