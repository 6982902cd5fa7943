//! Paths that do not lead out of a directory, nor to anything that was not extracted.
//!
//! Each is walked down name for name, from a descriptor of the directory, and no symbolic link is
//! followed. So it does not matter what an archive says, or in what order. What is found at a name has
//! to be what was made there, so it does not matter either what another process does in the directory.

use super::Failure;
use super::node::{Identity, Node};
use crate::escape::escape;
use bstr::{BStr, BString, ByteSlice};
use rustix::fs::FileType;
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;

/// The directory that nothing leads out of.
pub(super) struct Confined {
    top: Rc<OwnedFd>,
    /// The directory that was needed last, for the next entry is mostly in it, too.
    last: Option<(BString, Rc<OwnedFd>)>,
    /// What was made, by its path.
    made: HashMap<BString, Identity>,
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
            made: HashMap::new(),
        }
    }

    pub fn top(&self) -> &OwnedFd {
        &self.top
    }

    /// Finds where `path` is or can be made. It begins with `/`, and `/` itself is not in it.
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

    /// What was made at a place, if it is there.
    pub fn node(&self, place: &Place) -> Result<Option<Node>, Failure> {
        let node = Node::find(&place.directory, place.name)?;
        self.check(node, place.path)
    }

    /// Remembers what has just been made at a place.
    pub fn add(&mut self, place: &Place, identity: Identity) {
        self.made.insert(place.path.to_owned(), identity);
    }

    /// As [`add`](Self::add), for what could not be opened when it was made.
    pub fn add_new(&mut self, place: &Place, file_type: FileType) -> Result<Node, Failure> {
        let node = Node::find(&place.directory, place.name)?;
        let is_it = |node: &Node| node.file_type() == file_type && node.is_new();
        let node = node.filter(is_it).ok_or_else(|| foreign(place.path))?;
        self.add(place, node.identity());
        Ok(node)
    }

    /// To be called when what was made at a place is removed.
    pub fn remove(&mut self, place: &Place) {
        self.made.remove(place.path);
        self.last = None;
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
            // One past the `/` that comes first.
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

    /// Fails if what was found at `path` is not what was made there.
    fn check(&self, found: Option<Node>, path: &BStr) -> Result<Option<Node>, Failure> {
        match found {
            Some(node) if self.made.get(path) != Some(&node.identity()) => Err(foreign(path)),
            found => Ok(found),
        }
    }
}

fn foreign(path: &BStr) -> Failure {
    Failure::entry(format!(
        "what is at {} in the directory was not extracted there; let no other process write to the \
         directory",
        escape(path)
    ))
}
