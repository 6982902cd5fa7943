//! Adds directories and store paths of this machine to a tree.

use crate::closure::store_path;
use crate::escape::escape_path;
use crate::pattern::Pattern;
use crate::{Device, Entry, Error, Kind, MODE_MAX, Owner, Tree};
use bstr::ByteSlice;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::{self, FileType, Metadata};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Options of [`Tree::insert_directory_with`].
#[derive(Clone, Copy, Debug, Default)]
pub struct DirectoryOptions<'a> {
    /// Leave out each file that one of these matches, by its path below the directory: [`Pattern::ends`]. Of a
    /// directory, everything in it is left out, too, and not read.
    pub excluded: &'a [Pattern],
    /// Keep users and groups.
    pub keep_owners: bool,
    /// Keep times of modification, in seconds, up to this one. Files that are newer get this time.
    pub keep_times_until: Option<u32>,
}

impl Tree {
    /// Adds the directory `dir` of this machine and everything below it. `at` is its path in the archive.
    /// If `at` is `/`, the root directory of the archive gets the mode of `dir`.
    ///
    /// Names, targets of symbolic links, device numbers and permission bits are taken from the disk, so
    /// a checkout under another umask gives another tree. The owner of everything is root, and times are not
    /// kept: [`insert_directory_with`](Self::insert_directory_with) can keep both. `dir` may be a symbolic link to a directory. Symbolic links below it are not followed.
    ///
    /// Hard links stay hard links: the first name of a file by the bytes of its path becomes a
    /// [`Kind::File`], and its other names become [`Kind::HardLink`]s. This does not apply below a
    /// directory `store/HASH-NAME` in the real path, that is, in a Nix store. There, hard links only
    /// show that somebody has run `nix-store --optimise`, so every name becomes a separate file.
    ///
    /// # Errors
    /// If `dir` is not a directory, or if a directory cannot be listed; those of [`insert`](Self::insert);
    /// and if there are sockets, with all of them in one error. The first error by the bytes of its path is
    /// returned, but the error for sockets comes last. Entries before the error stay in the tree.
    pub fn insert_directory(&mut self, dir: &Path, at: &[u8]) -> Result<(), Error> {
        self.insert_directory_with(dir, at, DirectoryOptions::default())
    }

    /// As [`insert_directory`](Self::insert_directory), with options.
    ///
    /// # Errors
    /// Those of [`insert_directory`](Self::insert_directory), and a time that newc cannot store.
    pub fn insert_directory_with(
        &mut self,
        dir: &Path,
        at: &[u8],
        options: DirectoryOptions,
    ) -> Result<(), Error> {
        let metadata = fs::metadata(dir).map_err(|error| Error::at(dir, error))?;
        if !metadata.is_dir() {
            return Err(Error::at(dir, "is not a directory"));
        }
        let real_path = fs::canonicalize(dir).map_err(|error| Error::at(dir, error))?;
        let mut walk = Walk {
            top: dir,
            at,
            options,
            links: Some(SeenFiles::new(real_path)),
            sockets: Vec::new(),
        };
        walk.insert_all(metadata, self)
    }
}

/// Adds the store path `path` at the same path in the archive. It may be a directory, a file or a symbolic
/// link.
///
/// The only metadata that it keeps is what a NAR has: whether a file is executable. The modes are 0555 and
/// 0444, which Nix sets when it registers a store path. So the same NARs give the same archive, even if the
/// file system or a `chmod` has changed the modes.
///
/// # Errors
/// Those of [`Tree::insert_directory`].
pub(crate) fn insert_store_path(tree: &mut Tree, path: &Path) -> Result<(), Error> {
    let metadata = fs::symlink_metadata(path).map_err(|error| Error::at(path, error))?;
    let mut walk = Walk {
        top: path,
        at: path.as_os_str().as_bytes(),
        options: DirectoryOptions::default(),
        links: None,
        sockets: Vec::new(),
    };
    walk.insert_all(metadata, tree)
}

/// Adds a file or directory, with everything below it, to a tree.
struct Walk<'a> {
    /// Its path on this machine.
    top: &'a Path,
    /// Its path in the archive.
    at: &'a [u8],
    options: DirectoryOptions<'a>,
    /// To recognise hard links. `None` for a store path.
    links: Option<SeenFiles>,
    /// The sockets found so far. They cannot be packed.
    sockets: Vec<PathBuf>,
}

impl Walk<'_> {
    fn insert_all(&mut self, metadata: Metadata, tree: &mut Tree) -> Result<(), Error> {
        let mut top_metadata = Some(metadata);
        // The names below the top that are not visited yet. The contents of a directory sort after the
        // directory itself, so always taking the least name visits all of them in the order of their bytes.
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
                    owner: self.owner(&metadata),
                    mtime: self.mtime(&source, &metadata)?,
                    kind: kind(&source, &metadata)?,
                },
            };
            tree.insert(&path, entry)?;
            if metadata.is_dir() {
                self.list(&source, &name, &mut pending)?;
            }
        }
        self.refuse_sockets()
    }

    /// Names all sockets in one error, so that the user does not have to pack again to find the next one.
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
                    escape_path(name).to_string()
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
            // Linux ignores the mode of a symbolic link, and it depends on the file system.
            _ if metadata.is_symlink() => None,
            Some(_) => Some(mode & MODE_MAX),
            None if metadata.is_dir() || mode & 0o100 != 0 => Some(0o555),
            None => Some(0o444),
        }
    }

    fn owner(&self, metadata: &Metadata) -> Owner {
        match self.options.keep_owners {
            true => Owner {
                uid: metadata.uid(),
                gid: metadata.gid(),
            },
            false => Owner::ROOT,
        }
    }

    fn mtime(&self, source: &Path, metadata: &Metadata) -> Result<Option<u32>, Error> {
        let Some(latest) = self.options.keep_times_until else {
            return Ok(None);
        };
        let mtime = metadata.mtime();
        match u32::try_from(mtime.min(latest.into())) {
            Ok(mtime) => Ok(Some(mtime)),
            Err(_) => {
                let reason = format!(
                    "has the time {mtime}, and newc can store only times after 1970; change it with touch(1)"
                );
                Err(Error::at(source, reason))
            }
        }
    }

    /// Adds the contents of the directory `source`, which has the name `name` below the top, to `names`.
    fn list(&self, source: &Path, name: &[u8], names: &mut BTreeSet<Vec<u8>>) -> Result<(), Error> {
        let at = |error| Error::at(source, error);
        for entry in fs::read_dir(source).map_err(at)? {
            let child = entry.map_err(at)?.file_name().into_vec();
            let child = match name {
                b"" => child,
                name => [name, b"/", &child].concat(),
            };
            let excluded = self.options.excluded;
            if !excluded.iter().any(|pattern| pattern.ends(&child)) {
                names.insert(child);
            }
        }
        Ok(())
    }
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

/// The files with several names that the walk has visited.
struct SeenFiles {
    /// The top directory of the walk, without symbolic links.
    top: PathBuf,
    /// The path in the archive of a file's first name, by device and inode number.
    first: HashMap<(u64, u64), Vec<u8>>,
}

impl SeenFiles {
    fn new(top: PathBuf) -> Self {
        Self {
            top,
            first: HashMap::new(),
        }
    }

    /// The path in the archive of the file's first name. `None` if this is the first.
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

    /// Looks only at the path. The archive must not depend on the environment, which can name another
    /// store.
    fn in_store(&self, name: &[u8]) -> bool {
        let path = self.top.join(OsStr::from_bytes(name));
        let parts = path.components().map(|part| part.as_os_str().as_bytes());
        let parents = parts.clone();
        parents
            .zip(parts.skip(1))
            .any(|(parent, part)| parent == b"store" && store_path::is_name(part))
    }
}
