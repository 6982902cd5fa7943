//! File attributes that newc cannot store.

use crate::{Kind, Tree};
use rustix::fs::getxattr;
use std::path::Path;

/// The extended attributes whose loss changes the behaviour of a file or the access to it, each with a
/// warning. We ignore all others: they only describe a file or, like SELinux labels, every file has
/// them.
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

/// The source files of `tree` that lose an attribute in an archive, each with a warning to print after
/// its path. Files whose attributes cannot be read are left out.
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
