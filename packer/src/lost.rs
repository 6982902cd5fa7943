//! What an archive cannot hold of the files that are packed.

use crate::{Kind, Tree};
use rustix::fs::getxattr;
use std::path::Path;

/// The extended attributes whose loss changes what a file does, or who may use it. Others are not
/// mentioned: they only describe a file or, as SELinux labels, are on every file.
const ATTRIBUTES: [(&str, &str); 2] = [
    (
        "security.capability",
        "has capabilities, which newc cannot store: in the image it has none",
    ),
    (
        "system.posix_acl_access",
        "has an access control list, which newc cannot store: in the image only its mode counts",
    ),
];

/// The source files of `tree` that lose something in an archive, each with what that is, in words that
/// follow its path. Where the attributes cannot be read, nothing is reported.
pub fn lost(tree: &Tree) -> impl Iterator<Item = (&Path, &'static str)> {
    let sources = tree.entries().filter_map(|(_, entry)| match &entry.kind {
        Kind::File { source } => Some(source.as_path()),
        _ => None,
    });
    sources.flat_map(|source| {
        let has = move |name: &str| getxattr(source, name, &mut [0; 0]).is_ok();
        let found = ATTRIBUTES.iter().filter(move |(name, _)| has(name));
        found.map(move |(_, what)| (source, *what))
    })
}
