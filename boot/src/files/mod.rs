//! Files: boot checks them before the boot, and writes the results after it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub mod format;
pub mod input;
pub mod outfile;

/// Whether both paths lead to the same file.
fn same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    identity(one).is_some_and(|one| identity(other) == Some(one))
}
