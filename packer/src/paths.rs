//! Linux's limits on paths, and the two spellings of a path that packer uses.
//!
//! Unpacking an initramfs, the kernel skips an entry that exceeds a limit and reports nothing.

use crate::newc;
use bstr::{BStr, BString, ByteSlice, ByteVec};

/// The longest path, its NUL included: limits.h.
pub(crate) const PATH_MAX: usize = 4096;

/// The longest name of one file in a directory: limits.h.
pub(crate) const NAME_MAX: usize = 255;

/// How many symbolic links Linux follows on one path: `MAXSYMLINKS` of include/linux/namei.h.
pub(crate) const SYMLINKS_MAX: usize = 40;

/// The names that a path consists of, without `.` and empty names.
pub(crate) fn names(path: &[u8]) -> impl Iterator<Item = &BStr> {
    let names = path.split_str("/").map(ByteSlice::as_bstr);
    names.filter(|name| !name.is_empty() && *name != ".")
}

/// Puts the names of `path` on a stack of names, the first one on top.
pub(crate) fn push_names(stack: &mut Vec<BString>, path: &[u8]) {
    let names: Vec<_> = names(path).map(ToOwned::to_owned).collect();
    stack.extend(names.into_iter().rev());
}

/// Whether the path can only name a directory, because it is empty or ends in `/`, `.` or `..`.
pub(crate) fn names_directory(path: &[u8]) -> bool {
    let last = path.rsplit_str("/").next();
    matches!(last, Some(b"" | b"." | b".."))
}

/// The path as reports and manifests spell it: with a leading `/`, without `.` and without empty names.
/// `..` stays, because its target depends on symbolic links.
pub(crate) fn absolute(path: &[u8]) -> BString {
    let mut absolute = BString::default();
    for name in names(path) {
        absolute.push_byte(b'/');
        absolute.push_str(name);
    }
    if absolute.is_empty() {
        absolute.push_byte(b'/');
    }
    absolute
}

/// The path as packer writes it into an archive: without a leading `/`, and empty for the root.
///
/// # Errors
/// If the kernel would not unpack an entry with this path, or if the path contains `..`.
pub(crate) fn in_archive(path: &[u8]) -> Result<BString, &'static str> {
    if path.is_empty() {
        return Err("a path in the archive cannot be empty");
    }
    if path.contains(&0) {
        return Err("a path cannot contain NUL");
    }
    for name in names(path) {
        if name == ".." {
            return Err("a path in the archive cannot contain `..`");
        }
        if name.len() > NAME_MAX {
            return Err("a name is longer than 255 bytes");
        }
    }
    let path = bstr::join("/", names(path));
    if path.len() >= PATH_MAX {
        return Err("a path in the archive cannot be longer than 4095 bytes");
    }
    if path == newc::TRAILER {
        return Err("this name marks the end of an archive; use another");
    }
    Ok(path.into())
}
