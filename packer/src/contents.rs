//! From an image to its manifest.

use crate::manifest::{Archive, Entry, Image, Kind, Manifest, VERSION};
use crate::reader::{self, FileType, Item, Link, Reader};
use crate::{Error, MODE_MAX};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use bstr::{BStr, BString, ByteSlice, ByteVec};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{self, BufRead, Read};

impl Manifest {
    /// Reads a whole image.
    ///
    /// What Linux would skip ([`reader::Entry::skipped`]) is not in the manifest.
    ///
    /// # Errors
    /// Those of [`Reader::next_item`].
    pub fn of_image(image: impl Read) -> Result<Self, Error> {
        let mut reader = Reader::with_hashes(image);
        let mut contents = Contents::default();
        while let Some(item) = reader.next_item()? {
            contents.add(&item, &mut reader)?;
        }
        Ok(contents.into_manifest(reader.image()))
    }

    /// Reads the JSON that [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// [`Error::Input`] if `json` cannot be read, is not a manifest, or is one of another version.
    pub fn read_json(mut json: impl Read) -> Result<Self, Error> {
        #[derive(serde::Deserialize)]
        struct Version {
            version: u32,
        }
        let mut text = Vec::new();
        json.read_to_end(&mut text).map_err(Error::Input)?;
        let invalid = |error: serde_json::Error| {
            Error::Input(io::Error::other(format!("is not a manifest: {error}")))
        };
        // First, because of another version nothing else is known.
        let Version { version } = serde_json::from_slice(&text).map_err(invalid)?;
        if version != VERSION {
            let reason = format!(
                "is a manifest of version {version}, not {VERSION}; make it again with this packer"
            );
            return Err(Error::Input(io::Error::other(reason)));
        }
        serde_json::from_slice(&text).map_err(invalid)
    }
}

impl Kind {
    /// What it is, in words.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::File { .. } => "file",
            Self::Symlink { .. } => "symbolic link",
            Self::CharDevice { .. } => "character device",
            Self::BlockDevice { .. } => "block device",
            Self::Fifo => "FIFO",
            Self::Socket => "socket",
        }
    }
}

/// What has been read of an image.
#[derive(Default)]
pub(crate) struct Contents {
    archives: Vec<Archive>,
    entries: Vec<Entry>,
    /// The files with several names in the archive that is being read.
    links: HashMap<Link, Names>,
}

/// The names of a file.
struct Names {
    /// Where they are in [`Contents::entries`].
    entries: Vec<usize>,
    /// What the file contains: its size and hash.
    contents: (u64, String),
}

impl Contents {
    /// Adds what `reader` gave last and, if it is a file, reads it.
    pub fn add<R: Read>(&mut self, item: &Item, reader: &mut Reader<R>) -> Result<(), Error> {
        match item {
            Item::Entry(entry) => self.add_entry(entry, reader),
            Item::Archive(archive) => {
                self.unite_names();
                let compression = archive.format.map(|format| format.to_string());
                self.archives.push(Archive {
                    offset: archive.offset,
                    compression: compression.unwrap_or_else(|| "none".into()),
                    size: archive.size,
                    hash: archive.sha256.map(sri).unwrap_or_default(),
                });
                Ok(())
            }
        }
    }

    /// The entries so far. Of files with several names, what these contain is right only once the
    /// archive has ended.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The manifest of an image that has been read to its end.
    pub fn into_manifest(self, image: Option<reader::Image>) -> Manifest {
        let sha256 = image.and_then(|image| image.sha256);
        Manifest {
            version: VERSION,
            image: Image {
                size: image.map_or(0, |image| image.size),
                hash: sha256.map(sri).unwrap_or_default(),
            },
            archives: self.archives,
            entries: self.entries,
            store_paths: Vec::new(),
        }
    }

    fn add_entry<R: Read>(
        &mut self,
        entry: &reader::Entry,
        reader: &mut Reader<R>,
    ) -> Result<(), Error> {
        let (None, Some(file_type)) = (entry.skipped, entry.file_type()) else {
            return Ok(());
        };
        let (major, minor) = (entry.header.rdevmajor, entry.header.rdevminor);
        let kind = match file_type {
            FileType::Directory => Kind::Directory,
            FileType::File => self.file(entry, reader)?,
            FileType::Symlink => Kind::Symlink {
                target: entry.target.clone(),
            },
            FileType::CharDevice => Kind::CharDevice { major, minor },
            FileType::BlockDevice => Kind::BlockDevice { major, minor },
            FileType::Fifo => Kind::Fifo,
            FileType::Socket => Kind::Socket,
        };
        self.entries.push(Entry {
            path: normalise(entry.path.as_bstr()),
            archive: entry.archive,
            mode: entry.header.mode & MODE_MAX,
            uid: entry.header.uid,
            gid: entry.header.gid,
            mtime: entry.header.mtime,
            kind,
        });
        Ok(())
    }

    fn file<R: Read>(
        &mut self,
        entry: &reader::Entry,
        reader: &mut Reader<R>,
    ) -> Result<Kind, Error> {
        let size = u64::from(entry.header.filesize);
        let sha256 = sha256(reader.contents()).map_err(Error::Input)?;
        let mut hard_link_to = None;
        if let Some(link) = entry.link() {
            let index = self.entries.len();
            let names = self.links.entry(link).or_insert_with(|| Names {
                entries: Vec::new(),
                contents: (size, sha256.clone()),
            });
            if let Some(&first) = names.entries.first() {
                hard_link_to = Some(self.entries[first].path.clone());
            }
            names.entries.push(index);
            // As it is usual, only one name comes with contents, but Linux takes them from any.
            if size > 0 {
                names.contents = (size, sha256.clone());
            }
        }
        Ok(Kind::File {
            size,
            sha256,
            hard_link_to,
        })
    }

    fn unite_names(&mut self) {
        for Names { entries, contents } in self.links.drain().map(|(_, names)| names) {
            for index in entries {
                if let Kind::File { size, sha256, .. } = &mut self.entries[index].kind {
                    (*size, *sha256) = contents.clone();
                }
            }
        }
    }
}

/// The path from the root on: with a leading `/`, without `.` and without a `/` too many. `..` stays,
/// because where it leads depends on symbolic links.
pub(crate) fn normalise(path: &BStr) -> BString {
    let mut absolute = BString::default();
    for part in path.split_str("/") {
        if !part.is_empty() && part != b"." {
            absolute.push_byte(b'/');
            absolute.push_str(part);
        }
    }
    if absolute.is_empty() {
        absolute.push_byte(b'/');
    }
    absolute
}

fn sha256(mut from: impl BufRead) -> io::Result<String> {
    let mut hash = Sha256::new();
    loop {
        let bytes = from.fill_buf()?;
        if bytes.is_empty() {
            return Ok(format!("{:x}", hash.finalize()));
        }
        hash.update(bytes);
        let read = bytes.len();
        from.consume(read);
    }
}

fn sri(sha256: [u8; 32]) -> String {
    format!("sha256-{}", BASE64.encode(sha256))
}
