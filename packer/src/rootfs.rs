//! A model of the file system to which Linux unpacks an image.
//!
//! It does what `do_name()` and `do_symlink()` of the kernel's init/initramfs.c do, without the contents
//! of files. The kernel ignores nearly every failure: it drops the entry and goes on booting. The model
//! reports the failure.

use crate::escape::escape;
use crate::manifest::{ManifestEntry, ManifestKind};
use crate::paths::{self, NAME_MAX, PATH_MAX, SYMLINKS_MAX};
use bstr::{BStr, BString, ByteSlice, ByteVec};
use std::collections::{BTreeMap, HashMap};

mod lookup;

pub(crate) use lookup::Found;

/// The inode of the root directory.
const ROOT: usize = 0;

/// A file system, in memory.
pub(crate) struct Rootfs {
    nodes: Vec<Inode>,
    /// Whether the image has an entry for the root directory, which exists without one.
    has_root: bool,
}

/// A file of any type.
struct Inode {
    /// The entry that made it, without its path and without its other names.
    entry: ManifestEntry,
    /// In a box, because most files are not directories.
    directory: Option<Box<Directory>>,
}

struct Directory {
    /// Its inodes by name.
    children: BTreeMap<BString, usize>,
    /// The inode of the directory that contains it.
    parent: usize,
    /// The length of its path: 0 for the root.
    path_len: usize,
    /// Whether it also has files that [`Rootfs::pass_over`] did not keep.
    has_more: bool,
}

/// The result of looking up a path.
enum Location<'a> {
    /// A name in a directory. It may exist or not.
    Name(usize, &'a BStr),
    /// An existing directory, of a path that is `/` or ends in `..`.
    Directory(usize),
}

impl Default for Rootfs {
    /// An empty root directory.
    fn default() -> Self {
        let root = ManifestEntry {
            path: "/".into(),
            archive: 0,
            mode: 0o755,
            uid: 0,
            gid: 0,
            mtime: 0,
            kind: ManifestKind::Directory,
        };
        Self {
            nodes: vec![Inode::new(&root, ROOT, 0)],
            has_root: false,
        }
    }
}

impl Rootfs {
    /// Unpacks the next entry of the image.
    ///
    /// # Errors
    /// If Linux does not unpack the entry as it is in the image. The text says what Linux does.
    pub fn unpack(&mut self, entry: &ManifestEntry) -> Result<(), String> {
        match self.find(entry.path.as_bstr()).map_err(dropped)? {
            Location::Name(directory, name) => self.unpack_at(directory, name, entry),
            Location::Directory(directory) if entry.kind == ManifestKind::Directory => {
                self.has_root |= directory == ROOT;
                self.nodes[directory].update(entry)
            }
            Location::Directory(_) => Err(dropped("there is a directory")),
        }
    }

    /// Passes over a file with one name that nobody will look up. To save memory, the model does not keep it, but knows
    /// that its directory is not empty. False if something is at its path: then it must be unpacked.
    pub fn pass_over(&mut self, path: &BString) -> bool {
        let Ok(Location::Name(directory, name)) = self.find(path.as_bstr()) else {
            return true;
        };
        let directory = self.directory_mut(directory);
        let is_free = !directory.children.contains_key(name);
        directory.has_more |= is_free;
        is_free
    }

    /// The unpacked files, sorted by path. If a file has several names, all but the first are hard links
    /// to the first. `archive` is 0 in every entry.
    pub fn into_entries(self) -> Vec<ManifestEntry> {
        let mut names = Vec::new();
        let mut directories = vec![(BString::default(), ROOT)];
        if self.has_root {
            names.push(("/".into(), ROOT));
        }
        while let Some((path, directory)) = directories.pop() {
            for (name, &node) in &self.directory(directory).children {
                let mut path = path.clone();
                path.push_byte(b'/');
                path.push_str(name);
                if self.nodes[node].entry.kind == ManifestKind::Directory {
                    directories.push((path.clone(), node));
                }
                names.push((path, node));
            }
        }
        names.sort();
        let mut first_names = HashMap::new();
        let entry = |(path, node): (BString, usize)| {
            let mut entry = self.nodes[node].entry.clone();
            entry.archive = 0;
            if let ManifestKind::File { hard_link_to, .. } = &mut entry.kind {
                let first = first_names.entry(node).or_insert_with(|| path.clone());
                *hard_link_to = (*first != path).then(|| first.clone());
            }
            ManifestEntry { path, ..entry }
        };
        names.into_iter().map(entry).collect()
    }

    /// The directory with this inode.
    fn directory(&self, node: usize) -> &Directory {
        let directory = self.nodes[node].directory.as_ref();
        directory.expect("find() gives directories, and an entry of another type is another node")
    }

    fn directory_mut(&mut self, node: usize) -> &mut Directory {
        let directory = self.nodes[node].directory.as_mut();
        directory.expect("find() gives directories, and an entry of another type is another node")
    }

    fn unpack_at(
        &mut self,
        directory: usize,
        name: &BStr,
        entry: &ManifestEntry,
    ) -> Result<(), String> {
        let path_len = self.directory(directory).path_len + 1 + name.len();
        if name.len() > NAME_MAX {
            return Err(dropped("its name is longer than 255 bytes"));
        }
        if path_len >= PATH_MAX {
            // Linux would unpack it, but no program could open it by its path. In addition, with a chain
            // of symbolic links, the size of this model would be quadratic in the size of the image.
            return Err("its real path is longer than 4095 bytes".into());
        }
        let link_to = match &entry.kind {
            ManifestKind::File { hard_link_to, .. } => hard_link_to.as_ref(),
            _ => None,
        };
        let is_replaced = link_to.is_some() || matches!(entry.kind, ManifestKind::Symlink { .. });
        let mut replaces = None;
        if let Some(&node) = self.directory(directory).children.get(name) {
            let present = &mut self.nodes[node];
            let is_same = present.entry.kind.file_type() == entry.kind.file_type();
            if is_same && !is_replaced {
                return present.update(entry);
            }
            if !present.is_empty() {
                // Linux ignores the failure and changes the directory instead.
                if !matches!(entry.kind, ManifestKind::File { .. }) {
                    (present.entry.uid, present.entry.gid) = (entry.uid, entry.gid);
                }
                if !matches!(
                    entry.kind,
                    ManifestKind::File { .. } | ManifestKind::Symlink { .. }
                ) {
                    present.entry.mode = entry.mode;
                }
                return Err(dropped("there is a directory that is not empty"));
            }
            let is_doubtful = !is_same && present.entry.archive == entry.archive;
            replaces = is_doubtful.then(|| present.entry.kind.file_type().name());
            self.directory_mut(directory).children.remove(name);
        }

        let mut odd = replaces
            .map(|present| format!("replaces the {present} that is there from the same archive"));
        let node = match link_to {
            Some(file) => {
                let node = self.find_linked(file.as_bstr())?;
                let present = &mut self.nodes[node].entry;
                match &present.kind {
                    // The mode, the owner and the time of the last name count for all names.
                    ManifestKind::File { .. } => *present = without_names(entry),
                    kind => {
                        let (file, kind) = (escape(file), kind.file_type().name());
                        odd = Some(format!(
                            "is a hard link of {file}, which is a {kind} by now, and Linux opens that"
                        ));
                    }
                }
                node
            }
            None => {
                self.nodes.push(Inode::new(entry, directory, path_len));
                self.nodes.len() - 1
            }
        };
        let children = &mut self.directory_mut(directory).children;
        children.insert(name.to_owned(), node);
        odd.map_or(Ok(()), Err)
    }

    /// Finds the inode at `path`, which an entry is a hard link of.
    fn find_linked(&self, path: &BStr) -> Result<usize, String> {
        let node = match self.find(path) {
            Ok(Location::Name(directory, name)) => self.directory(directory).children.get(name),
            Ok(Location::Directory(_)) | Err(_) => None,
        };
        let reason = match node {
            Some(&node) if self.nodes[node].entry.kind != ManifestKind::Directory => {
                return Ok(node);
            }
            Some(_) => "is a directory by now",
            None => "is not there",
        };
        let path = escape(path);
        Err(dropped(format_args!(
            "it is a hard link of {path}, which {reason}"
        )))
    }

    /// Looks up a path. Follows symbolic links, but not at its end.
    fn find<'a>(&self, path: &'a BStr) -> Result<Location<'a>, String> {
        let mut directory = ROOT;
        let mut followed = 0;
        let mut rest = paths::names(path).enumerate().peekable();
        while let Some((number, part)) = rest.next() {
            if rest.peek().is_none() && part != ".." {
                return Ok(Location::Name(directory, part));
            }
            directory = self
                .enter(directory, part, &mut followed)
                .map_err(|reason| {
                    let parent: Vec<_> = paths::names(path).take(number + 1).collect();
                    format!("/{} {reason}", escape(&bstr::join("/", parent)))
                })?;
        }
        Ok(Location::Directory(directory))
    }

    fn enter(
        &self,
        directory: usize,
        name: &BStr,
        followed: &mut usize,
    ) -> Result<usize, &'static str> {
        if name == ".." {
            return Ok(self.directory(directory).parent);
        }
        let node = *self
            .directory(directory)
            .children
            .get(name)
            .ok_or("is not there")?;
        match &self.nodes[node].entry.kind {
            ManifestKind::Directory => Ok(node),
            ManifestKind::Symlink { target } => {
                *followed += 1;
                if *followed > SYMLINKS_MAX {
                    return Err("leads through more than 40 symbolic links");
                }
                let start = if target.starts_with(b"/") {
                    ROOT
                } else {
                    directory
                };
                paths::names(target)
                    .try_fold(start, |directory, name| {
                        self.enter(directory, name, followed)
                    })
                    .map_err(|_| "is a symbolic link that does not lead to a directory")
            }
            _ => Err("is not a directory"),
        }
    }
}

/// The entry without its path and without its first name, to save memory: of an image with many entries,
/// these would take most of it.
fn without_names(entry: &ManifestEntry) -> ManifestEntry {
    let mut kind = entry.kind.clone();
    if let ManifestKind::File { hard_link_to, .. } = &mut kind {
        *hard_link_to = None;
    }
    ManifestEntry {
        path: BString::default(),
        kind,
        ..*entry
    }
}

impl Inode {
    fn new(entry: &ManifestEntry, parent: usize, path_len: usize) -> Self {
        let directory = (entry.kind == ManifestKind::Directory).then(|| Directory {
            children: BTreeMap::new(),
            parent,
            path_len,
            has_more: false,
        });
        Self {
            entry: without_names(entry),
            directory: directory.map(Box::new),
        }
    }

    /// False for a directory that contains something.
    fn is_empty(&self) -> bool {
        self.directory
            .as_ref()
            .is_none_or(|directory| directory.children.is_empty() && !directory.has_more)
    }

    /// Unpacks an entry of the same type over this one.
    fn update(&mut self, entry: &ManifestEntry) -> Result<(), String> {
        let present = std::mem::replace(&mut self.entry, without_names(entry));
        match (&present.kind, &entry.kind) {
            // Linux sets the times of directories at the end, in reverse order. So the time of the first
            // entry counts.
            (ManifestKind::Directory, _) => self.entry.mtime = present.mtime,
            (
                ManifestKind::CharDevice { major, minor }
                | ManifestKind::BlockDevice { major, minor },
                kind,
            ) if present.kind != *kind => {
                let reason = format!("stays the device {major}:{minor} that is there already");
                self.entry.kind = present.kind;
                return Err(reason);
            }
            _ => {}
        }
        Ok(())
    }
}

fn dropped(reason: impl std::fmt::Display) -> String {
    format!("Linux drops it: {reason}")
}
