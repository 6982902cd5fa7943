//! From directories of this machine to entries.

use crate::closure::store_path;
use crate::escape::escape;
use crate::{Device, Entry, Error, Kind, MODE_MAX, Owner, Tree};
use bstr::ByteSlice;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::{self, FileType, Metadata};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

impl Tree {
    /// Adds the directory `dir` of this machine, and everything below it, at the path `at` in the
    /// archive; `/` is the root, which then has the mode of `dir`.
    ///
    /// Names, the targets of symbolic links, device numbers and permission bits are as they are on
    /// disk. Like contents they are what was asked for, so a checkout under another umask is another
    /// tree. Everything is root's, and times are not kept. `dir` may be a symbolic link to a
    /// directory; below it none is followed.
    ///
    /// The names of one regular file that are found here are one file in the archive: the first by
    /// the bytes of its path is a [`Kind::File`], the others are [`Kind::HardLink`]s to it. A Nix
    /// store is where this does not hold, that is, below any directory `store/HASH-NAME` in the real
    /// path. There links tell only whether somebody has run `nix-store --optimise`, and every name is
    /// a file of its own.
    ///
    /// # Errors
    /// If `dir` is not a directory, or if one cannot be listed; those of [`insert`](Self::insert); and if
    /// there are sockets, all in one error. Of several errors the first by the bytes of its path is returned,
    /// that of sockets last; what comes before it has been added.
    pub fn insert_directory(&mut self, dir: &Path, at: &[u8]) -> Result<(), Error> {
        let metadata = fs::metadata(dir).map_err(|error| Error::at(dir, error))?;
        if !metadata.is_dir() {
            return Err(Error::at(dir, "is not a directory"));
        }
        let real_path = fs::canonicalize(dir).map_err(|error| Error::at(dir, error))?;
        let mut walk = Walk {
            top: dir,
            at,
            links: Some(SeenFiles::new(real_path)),
            sockets: Vec::new(),
        };
        walk.insert_all(metadata, self)
    }
}

/// Adds the store path `path`, which may be a directory, a file or a symbolic link, under its own
/// name.
///
/// Of the metadata, only what a NAR has gets into the archive, which is whether a file is
/// executable. Modes are those that Nix gives to all that it registers, 0555 and 0444; so the same
/// NARs make the same archive, even where a file system or a `chmod` has changed them.
///
/// # Errors
/// As [`Tree::insert_directory`].
pub(crate) fn insert_store_path(tree: &mut Tree, path: &Path) -> Result<(), Error> {
    let metadata = fs::symlink_metadata(path).map_err(|error| Error::at(path, error))?;
    let mut walk = Walk {
        top: path,
        at: path.as_os_str().as_bytes(),
        links: None,
        sockets: Vec::new(),
    };
    walk.insert_all(metadata, tree)
}

/// One file or directory on its way into a tree, with everything below it.
struct Walk<'a> {
    /// Where it is on this machine.
    top: &'a Path,
    /// Where it will be in the archive.
    at: &'a [u8],
    /// `None` for a store path.
    links: Option<SeenFiles>,
    /// Those that were found. They are no files to pack.
    sockets: Vec<PathBuf>,
}

impl Walk<'_> {
    fn insert_all(&mut self, metadata: Metadata, tree: &mut Tree) -> Result<(), Error> {
        let mut top_metadata = Some(metadata);
        // The names below the top that are still to be looked at. A directory's contents come after
        // it, so always to take the least is to visit all in the order of their bytes.
        let mut pending = BTreeSet::from([Vec::new()]);
        while let Some(name) = pending.pop_first() {
            let source = match &name[..] {
                b"" => self.top.to_owned(),
                name => self.top.join(OsStr::from_bytes(name)),
            };
            let metadata = match top_metadata.take() {
                Some(metadata) => metadata,
                None => fs::symlink_metadata(&source).map_err(|e| Error::at(&source, e))?,
            };
            if metadata.file_type().is_socket() {
                self.sockets.push(source);
                continue;
            }
            let path = match &name[..] {
                b"" => self.at.to_owned(),
                name => [self.at.trim_end_with(|c| c == '/'), b"/", name].concat(),
            };
            let links = self.links.as_mut();
            let entry = match links.and_then(|links| links.earlier(&name, &metadata, &path)) {
                Some(file) => Entry::new(Kind::HardLink { file: file.into() }),
                None => Entry {
                    mode: self.mode(&metadata),
                    owner: Owner::ROOT,
                    kind: kind(&source, &metadata)?,
                },
            };
            tree.insert(&path, entry)?;
            if metadata.is_dir() {
                list(&source, &name, &mut pending)?;
            }
        }
        self.refuse_sockets()
    }

    /// All of them at once: whoever removes one is not to find the next by packing again.
    fn refuse_sockets(&self) -> Result<(), Error> {
        let cure = "nothing without the program that listens on";
        match &self.sockets[..] {
            [] => Ok(()),
            [socket] => {
                let reason = format!(
                    "is a socket, which means {cure} it; remove it, or add it with `sock` in a list"
                );
                Err(Error::at(socket, reason))
            }
            sockets => {
                let names = sockets.iter().map(|socket| {
                    let name = socket.strip_prefix(self.top).unwrap_or(socket);
                    escape(name.as_os_str().as_bytes()).to_string()
                });
                let reason = format!(
                    "has {} sockets in it, which mean {cure} them; remove them, or add them with `sock` \
                     in a list: {}",
                    sockets.len(),
                    names.collect::<Vec<_>>().join(", ")
                );
                Err(Error::at(self.top, reason))
            }
        }
    }

    fn mode(&self, metadata: &Metadata) -> Option<u32> {
        let mode = metadata.mode();
        match self.links {
            // It means nothing to Linux, and what there is depends on the file system.
            _ if metadata.is_symlink() => None,
            Some(_) => Some(mode & MODE_MAX),
            None if metadata.is_dir() || mode & 0o100 != 0 => Some(0o555),
            None => Some(0o444),
        }
    }
}

/// Adds what is in the directory `source` to `names`; `name` is its own there.
fn list(source: &Path, name: &[u8], names: &mut BTreeSet<Vec<u8>>) -> Result<(), Error> {
    let at = |error| Error::at(source, error);
    for entry in fs::read_dir(source).map_err(at)? {
        let child = entry.map_err(at)?.file_name().into_vec();
        names.insert(match name {
            b"" => child,
            name => [name, b"/", &child].concat(),
        });
    }
    Ok(())
}

fn kind(source: &Path, metadata: &Metadata) -> Result<Kind, Error> {
    let device = || {
        let rdev = metadata.rdev();
        let (major, minor) = (rustix::fs::major(rdev), rustix::fs::minor(rdev));
        Device::new(major, minor).ok_or_else(|| {
            let reason = format!("is the device {major}:{minor}, which Linux cannot represent");
            Error::at(source, reason)
        })
    };
    let is = |test: fn(&FileType) -> bool| test(&metadata.file_type());
    if metadata.is_dir() {
        Ok(Kind::Directory)
    } else if metadata.is_symlink() {
        let target = fs::read_link(source).map_err(|error| Error::at(source, error))?;
        let target = target.into_os_string().into_vec().into();
        Ok(Kind::Symlink { target })
    } else if metadata.is_file() {
        let source = source.to_owned();
        Ok(Kind::File { source })
    } else if is(FileTypeExt::is_char_device) {
        device().map(Kind::CharDevice)
    } else if is(FileTypeExt::is_block_device) {
        device().map(Kind::BlockDevice)
    } else if is(FileTypeExt::is_fifo) {
        Ok(Kind::Fifo)
    } else {
        Err(Error::at(source, "is of a type that newc does not have"))
    }
}

/// The files seen so far that have several names.
struct SeenFiles {
    /// The directory that names are below, without symbolic links.
    top: PathBuf,
    /// The path in the archive of its first name, by device and inode number.
    first: HashMap<(u64, u64), Vec<u8>>,
}

impl SeenFiles {
    fn new(top: PathBuf) -> Self {
        Self {
            top,
            first: HashMap::new(),
        }
    }

    /// The path in the archive of the same file's first name, if it had one before this one.
    fn earlier(&mut self, name: &[u8], metadata: &Metadata, path: &[u8]) -> Option<Vec<u8>> {
        if !metadata.is_file() || metadata.nlink() == 1 || self.in_store(name) {
            return None;
        }
        let file = (metadata.dev(), metadata.ino());
        if let Some(first) = self.first.get(&file) {
            return Some(first.clone());
        }
        self.first.insert(file, path.to_owned());
        None
    }

    /// Goes by the path alone: the archive shall not depend on where, say, an environment variable
    /// has the store.
    fn in_store(&self, name: &[u8]) -> bool {
        let path = self.top.join(OsStr::from_bytes(name));
        let parts = path.components().map(|part| part.as_os_str().as_bytes());
        let parents = parts.clone();
        parents
            .zip(parts.skip(1))
            .any(|(parent, part)| parent == b"store" && store_path::is_name(part))
    }
}
