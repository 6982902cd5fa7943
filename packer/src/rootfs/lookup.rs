//! Looks up paths in the unpacked image, as execve(2) and open(2) do in the guest.

use super::{Directory, Location, ROOT, Rootfs};
use crate::escape::escape;
use crate::manifest::{ManifestEntry, ManifestKind};
use crate::paths::{self, SYMLINKS_MAX};
use bstr::{BString, ByteSlice};
use std::fmt;

/// What is at a path.
#[derive(Debug)]
pub(crate) struct Found {
    /// The number of its inode.
    pub node: usize,
    /// Its path without symbolic links. Empty for the root.
    pub real: BString,
}

/// Why a path leads to nothing.
#[derive(Debug, PartialEq)]
pub(crate) struct Lost {
    /// The symbolic links that were followed, each with its target.
    links: Vec<(BString, BString)>,
    reason: Reason,
}

#[derive(Debug, PartialEq)]
enum Reason {
    Missing(BString),
    NotADirectory(BString),
    Loop,
}

impl Lost {
    /// The path, without symbolic links, at which there is nothing.
    pub fn missing(&self) -> Option<&BString> {
        match &self.reason {
            Reason::Missing(path) => Some(path),
            Reason::NotADirectory(_) | Reason::Loop => None,
        }
    }
}

impl Rootfs {
    /// Follows `path` through all symbolic links. A relative path begins at the root, where init starts.
    pub fn lookup(&self, path: &[u8]) -> Result<Found, Lost> {
        let mut links = Vec::new();
        let (mut node, mut real) = (ROOT, BString::default());
        // The names that are left, the next one last.
        let mut rest = Vec::new();
        paths::push_names(&mut rest, path);
        while let Some(name) = rest.pop() {
            let Some(directory) = &self.nodes[node].directory else {
                let reason = Reason::NotADirectory(real);
                return Err(Lost { links, reason });
            };
            let directory: &Directory = directory;
            if name == ".." {
                node = directory.parent;
                let end = real.rfind_byte(b'/').unwrap_or(0);
                real.truncate(end);
                continue;
            }
            let next: BString = [real.as_slice(), b"/", &name].concat().into();
            let Some(&child) = directory.children.get(&name) else {
                let reason = Reason::Missing(next);
                return Err(Lost { links, reason });
            };
            if let ManifestKind::Symlink { target } = &self.nodes[child].entry.kind {
                links.push((next, target.clone()));
                if links.len() > SYMLINKS_MAX {
                    let reason = Reason::Loop;
                    return Err(Lost { links, reason });
                }
                if target.starts_with(b"/") {
                    (node, real) = (ROOT, BString::default());
                }
                paths::push_names(&mut rest, target);
                continue;
            }
            (node, real) = (child, next);
        }
        Ok(Found { node, real })
    }

    /// The inode at a path, whose last name is not followed.
    pub fn node(&self, path: &BString) -> Option<usize> {
        match self.find(path.as_bstr()).ok()? {
            Location::Name(directory, name) => {
                self.directory(directory).children.get(name).copied()
            }
            Location::Directory(node) => Some(node),
        }
    }

    /// The entry of an inode. It has no path.
    pub fn entry(&self, node: usize) -> &ManifestEntry {
        &self.nodes[node].entry
    }
}

impl fmt::Display for Lost {
    /// In words that follow the path.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.links.is_empty() && matches!(self.reason, Reason::Missing(_)) {
            return f.write_str("is not in the image");
        }
        f.write_str("leads to nothing: ")?;
        // Of a loop, the first links say enough.
        for (link, target) in self.links.iter().take(3) {
            write!(
                f,
                "{} is a symbolic link to {}, ",
                escape(link),
                escape(target)
            )?;
        }
        if !self.links.is_empty() {
            f.write_str("and ")?;
        }
        match &self.reason {
            Reason::Missing(path) => write!(f, "{} is not in the image", escape(path)),
            Reason::NotADirectory(path) => write!(f, "{} is not a directory", escape(path)),
            Reason::Loop => write!(f, "so on, for more than {SYMLINKS_MAX} symbolic links"),
        }
    }
}
