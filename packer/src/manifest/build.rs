//! Makes a manifest by reading an image.

use super::{Manifest, ManifestArchive, ManifestEntry, ManifestImage, ManifestKind, VERSION};
use crate::reader::{CpioArchive, CpioEntry, FileType, ImageFile, Item, Link, Reader};
use crate::{Error, MODE_MAX, paths};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use std::collections::HashMap;
use std::io::Read;

impl Manifest {
    /// Reads a whole image.
    ///
    /// The manifest does not have the entries that Linux skips: [`CpioEntry::skipped`].
    ///
    /// # Errors
    /// Those of [`Reader::next_item`].
    pub fn of_image(image: impl Read) -> Result<Self, Error> {
        let mut reader = Reader::with_hashes(image);
        let mut builder = ManifestBuilder::default();
        while let Some(item) = reader.next_item()? {
            match item {
                Item::Archive(archive) => builder.end(&archive),
                Item::Entry(entry) => {
                    let Some(mut described) = ManifestEntry::of(&entry) else {
                        continue;
                    };
                    if let ManifestKind::File { sha256, .. } = &mut described.kind {
                        *sha256 = reader.contents().sha256().map_err(Error::Input)?;
                    }
                    builder.add(&entry, described);
                }
            }
        }
        Ok(builder.into_manifest(reader.image()))
    }
}

impl ManifestEntry {
    /// Describes an entry without looking at other entries. `None` if Linux skips the entry. For a file,
    /// the SHA-256 is empty, the size is that of the contents after this entry, and `hard_link_to` is
    /// `None`.
    pub fn of(entry: &CpioEntry) -> Option<Self> {
        let (None, Some(file_type)) = (entry.skipped, entry.file_type()) else {
            return None;
        };
        let (major, minor) = (entry.header.rdevmajor, entry.header.rdevminor);
        let kind = match file_type {
            FileType::Directory => ManifestKind::Directory,
            FileType::File => ManifestKind::File {
                size: entry.header.filesize.into(),
                sha256: String::new(),
                hard_link_to: None,
            },
            FileType::Symlink => ManifestKind::Symlink {
                target: entry.target.clone(),
            },
            FileType::CharDevice => ManifestKind::CharDevice { major, minor },
            FileType::BlockDevice => ManifestKind::BlockDevice { major, minor },
            FileType::Fifo => ManifestKind::Fifo,
            FileType::Socket => ManifestKind::Socket,
        };
        Some(Self {
            path: paths::absolute(&entry.path),
            archive: entry.archive,
            mode: entry.header.mode & MODE_MAX,
            uid: entry.header.uid,
            gid: entry.header.gid,
            mtime: entry.header.mtime,
            kind,
        })
    }
}

/// Collects the entries and archives of an image.
#[derive(Default)]
pub(crate) struct ManifestBuilder {
    archives: Vec<ManifestArchive>,
    entries: Vec<ManifestEntry>,
    /// The files with several names in the current archive.
    links: HashMap<Link, HardLinks>,
}

/// A file with several names.
struct HardLinks {
    /// The indices of its names in [`ManifestBuilder::entries`].
    entries: Vec<usize>,
    /// The size and the SHA-256 of the file.
    contents: (u64, String),
}

impl ManifestBuilder {
    /// Adds an entry. `described` is its [`ManifestEntry::of`], with the SHA-256 if it is a file.
    pub fn add(&mut self, read: &CpioEntry, mut described: ManifestEntry) {
        let ManifestKind::File {
            size,
            sha256,
            hard_link_to,
        } = &mut described.kind
        else {
            self.entries.push(described);
            return;
        };
        if let Some(link) = read.link() {
            let names = self.links.entry(link).or_insert_with(|| HardLinks {
                entries: Vec::new(),
                contents: (*size, sha256.clone()),
            });
            let first = names.entries.first();
            *hard_link_to = first.map(|&first| self.entries[first].path.clone());
            names.entries.push(self.entries.len());
            // Usually only one name has contents. Linux accepts contents with any of them.
            if *size > 0 {
                names.contents = (*size, sha256.clone());
            }
        }
        self.entries.push(described);
    }

    /// Adds the archive of the entries that were added since the last archive.
    pub fn end(&mut self, archive: &CpioArchive) {
        self.unite_names();
        let compression = archive.format.map(|format| format.to_string());
        self.archives.push(ManifestArchive {
            offset: archive.offset,
            compression: compression.unwrap_or_else(|| "none".into()),
            size: archive.size,
            hash: archive.sha256.map(sri).unwrap_or_default(),
        });
    }

    /// Makes the manifest. The image must have been read to its end.
    pub fn into_manifest(self, image: Option<ImageFile>) -> Manifest {
        let sha256 = image.and_then(|image| image.sha256);
        Manifest {
            version: VERSION,
            image: ManifestImage {
                size: image.map_or(0, |image| image.size),
                hash: sha256.map(sri).unwrap_or_default(),
            },
            archives: self.archives,
            entries: self.entries,
            store_paths: Vec::new(),
        }
    }

    fn unite_names(&mut self) {
        for HardLinks { entries, contents } in self.links.drain().map(|(_, names)| names) {
            for index in entries {
                if let ManifestKind::File { size, sha256, .. } = &mut self.entries[index].kind {
                    (*size, *sha256) = contents.clone();
                }
            }
        }
    }
}

fn sri(sha256: [u8; 32]) -> String {
    format!("sha256-{}", BASE64.encode(sha256))
}
