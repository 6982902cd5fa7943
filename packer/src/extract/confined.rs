//! Looks up paths without leaving a directory, and finds only files that this extraction has made.
//!
//! A lookup starts at a descriptor of the directory, opens one name after the other and follows no symbolic
//! link, so no archive can lead it out of the directory. Each file that it finds must be the one that was
//! made at that path, so no other process in the directory can redirect it.
//!
//! [`Confined::node`] tells files of this extraction from others in two ways. What is opened, changed or linked to again
//! is recorded: directories, special files and files with several names. All the rest, most of an image, is in a
//! [`Filter`] of a fixed size. The extraction only removes such a file, when another entry replaces it. If the filter is
//! wrong, the name of a foreign file is lost, but the file itself is neither written to nor changed.

use super::Failure;
use super::filter::Filter;
use super::node::{Identity, Node};
use crate::escape::escape;
use bstr::{BStr, BString, ByteSlice};
use rustix::fs::FileType;
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;

/// The directory to which everything is extracted.
pub(super) struct Confined {
    top: Rc<OwnedFd>,
    /// A cache of the last directory, because the next entry is usually in the same one.
    last: Option<(BString, Rc<OwnedFd>)>,
    /// The recorded files, by path. `None` if the file was removed: what is made there next is recorded, too, because
    /// names of the removed file become names of the next one.
    recorded: HashMap<BString, Option<Identity>>,
    /// The other files.
    filter: Filter,
}

/// A name in a directory.
pub(super) struct Place<'a> {
    pub directory: Rc<OwnedFd>,
    pub name: &'a [u8],
    /// The whole path.
    pub path: &'a BStr,
}

impl Confined {
    pub fn new(top: OwnedFd) -> Self {
        Self {
            top: Rc::new(top),
            last: None,
            recorded: HashMap::new(),
            filter: Filter::default(),
        }
    }

    pub fn top(&self) -> &OwnedFd {
        &self.top
    }

    /// Finds the place of `path`, where a file may exist or not. `path` begins with `/`, and is not `/`.
    pub fn find<'a>(&mut self, path: &'a BStr) -> Result<Place<'a>, Failure> {
        if path.split_str("/").any(|part| part == b"..") {
            return Err(Failure::entry(
                "its path contains `..`, which is not followed",
            ));
        }
        let (parent, name) = path.rsplit_once_str("/").unwrap_or((b"", path));
        Ok(Place {
            directory: self.directory(parent.as_bstr())?,
            name,
            path,
        })
    }

    /// Opens the file at a place, if there is one. Fails if this extraction did not make it.
    pub fn node(&self, place: &Place) -> Result<Option<Node>, Failure> {
        let node = Node::find(&place.directory, place.name)?;
        self.check(node, place.path)
    }

    /// Takes note of the file that was just made at a place. `is_used_again`: it must be recorded.
    pub fn add(&mut self, place: &Place, identity: Identity, is_used_again: bool) {
        if is_used_again || self.recorded.contains_key(place.path) {
            self.recorded.insert(place.path.to_owned(), Some(identity));
        } else {
            self.filter.add(place.path, identity);
        }
    }

    /// As [`add`](Self::add), for files for which no system call both makes and opens them. Returns the file.
    pub fn add_new(&mut self, place: &Place, file_type: FileType) -> Result<Node, Failure> {
        let node = Node::find(&place.directory, place.name)?;
        let is_it = |node: &Node| node.file_type() == file_type && node.is_new();
        let node = node.filter(is_it).ok_or_else(|| foreign(place.path))?;
        self.add(place, node.identity(), file_type != FileType::Symlink);
        Ok(node)
    }

    /// Forgets the file at a place. Call this after removing the file.
    pub fn remove(&mut self, place: &Place) {
        if let Some(recorded) = self.recorded.get_mut(place.path) {
            *recorded = None;
        }
        self.last = None;
    }

    /// Whether the file found at a place is recorded, so that it may be opened, changed and linked to.
    pub fn is_recorded(&self, place: &Place, node: &Node) -> bool {
        self.recorded.get(place.path) == Some(&Some(node.identity()))
    }

    fn directory(&mut self, path: &BStr) -> Result<Rc<OwnedFd>, Failure> {
        let mut directory = Rc::clone(&self.top);
        let mut walked = 0;
        if let Some((last, descriptor)) = &self.last {
            let rest = path.strip_prefix(last.as_slice());
            if rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/') {
                directory = Rc::clone(descriptor);
                walked = last.len();
            }
        }
        while walked < path.len() {
            // Skip the `/` before the name.
            let start = walked + 1;
            let end = path[start..]
                .find_byte(b'/')
                .map_or(path.len(), |length| start + length);
            let parent = path[..end].as_bstr();
            let node = Node::find(&directory, &path[start..end])?;
            let node = self.check(node, parent)?.ok_or_else(|| {
                Failure::entry(format!("Linux drops it: {} is not there", escape(parent)))
            })?;
            match node.file_type() {
                FileType::Directory => directory = Rc::new(node.into_descriptor()),
                FileType::Symlink => {
                    let parent = escape(parent);
                    return Err(Failure::entry(format!(
                        "leads through {parent}, a symbolic link, which is not followed"
                    )));
                }
                _ => {
                    let parent = escape(parent);
                    return Err(Failure::entry(format!(
                        "Linux drops it: {parent} is not a directory"
                    )));
                }
            }
            walked = end;
        }
        self.last = Some((path.to_owned(), Rc::clone(&directory)));
        Ok(directory)
    }

    /// Fails if the file found at `path` is not the one that was made there.
    fn check(&self, found: Option<Node>, path: &BStr) -> Result<Option<Node>, Failure> {
        let Some(node) = found else { return Ok(None) };
        let is_own = match self.recorded.get(path) {
            Some(identity) => *identity == Some(node.identity()),
            None => {
                matches!(node.file_type(), FileType::RegularFile | FileType::Symlink)
                    && self.filter.may_have(path, node.identity())
            }
        };
        match is_own {
            true => Ok(Some(node)),
            false => Err(foreign(path)),
        }
    }
}

pub(super) fn foreign(path: &BStr) -> Failure {
    Failure::entry(format!(
        "another process has changed {} in the directory; let no other process write to the directory",
        escape(path)
    ))
}
