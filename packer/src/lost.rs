//! What an archive cannot hold of the files that are packed.

use crate::{Kind, Tree};
use rustix::fs::getxattr;
use std::path::Path;

/// What newc has no field for, by the extended attribute that it is in, and what it means not to have it.
/// Others only describe a file, or are there on all of them, such as SELinux' labels.
const ATTRIBUTES: [(&str, &str); 2] = [
    (
        "security.capability",
        "has capabilities, which an image cannot hold: packed, it gives none to who runs it",
    ),
    (
        "system.posix_acl_access",
        "has an access control list, which an image cannot hold: packed, its mode alone says who may what",
    ),
];

/// The files of `tree` that are more than the archive will have of them, each with what is lost, in
/// words that follow its path. A file that cannot be asked has nothing to lose.
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
