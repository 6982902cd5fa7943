//! Collects what the checks need, while the image is read.

use super::Conditions;
use super::contents::Contents;
use crate::decompress::Format;
use crate::early::Early;
use crate::entry::MODE_MAX;
use crate::manifest::{ManifestEntry, ManifestKind};
use crate::reader::CpioArchive;
use crate::rootfs::Rootfs;
use bstr::BString;
use std::collections::{BTreeSet, HashMap};

/// What the image has, beside its file system.
#[derive(Default)]
pub(crate) struct Collection {
    /// The contents of the files that are not empty, by inode.
    pub contents: HashMap<usize, Contents>,
    /// Each compressed member, by its offset in the image.
    pub members: Vec<(u64, Format)>,
    /// The executable files that were empty in the archive.
    pub empty_programs: Vec<BString>,
    /// The files of which the archive lacks names: the first name, the names in the archive, and the names that the
    /// file has.
    pub lone_links: Vec<(BString, u32, u32)>,
    /// The size of the image in bytes.
    pub packed: u64,
    /// The memory that its files take when they are unpacked, in bytes.
    pub unpacked: u64,
    /// What is in the files for the early loader.
    pub early: BTreeSet<Early>,
    /// Whether a file is not for the early loader.
    has_others: bool,
    /// [`Conditions::unpacked_max`].
    unpacked_max: u64,
}

/// The files are in the page cache.
const PAGE: u64 = 4096;

impl Collection {
    pub fn new(conditions: &Conditions) -> Self {
        Self {
            unpacked_max: conditions.unpacked_max,
            ..Self::default()
        }
    }

    /// Whether the image is too large.
    pub fn is_full(&self) -> bool {
        self.unpacked > self.unpacked_max
    }

    /// Whether all files are microcode or ACPI tables, which the early loader reads.
    pub fn has_only_early(&self) -> bool {
        !self.early.is_empty() && !self.has_others
    }

    /// Adds an entry that has been unpacked to `files`.
    pub fn add(
        &mut self,
        entry: &ManifestEntry,
        contents: Option<Contents>,
        early: Option<Early>,
        files: &Rootfs,
    ) {
        let is_directory = matches!(entry.kind, ManifestKind::Directory);
        self.early.extend(early);
        self.has_others |= early.is_none() && !is_directory;
        let ManifestKind::File {
            size, hard_link_to, ..
        } = &entry.kind
        else {
            return;
        };
        self.unpacked += size.next_multiple_of(PAGE);
        let Some(node) = files.node(&entry.path) else {
            return;
        };
        match contents {
            Some(contents) => drop(self.contents.insert(node, contents)),
            // Only the first name of a file truncates it.
            None if hard_link_to.is_none() => {
                self.contents.remove(&node);
                if entry.mode & MODE_MAX & 0o111 != 0 {
                    self.empty_programs.push(entry.path.clone());
                }
            }
            None => {}
        }
    }

    /// Adds the end of an archive.
    pub fn end_archive(&mut self, archive: &CpioArchive) {
        if let Some(format) = archive.format {
            let member = (archive.offset, format);
            if self.members.last() != Some(&member) {
                self.members.push(member);
            }
        }
    }
}
