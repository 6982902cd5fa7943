//! Source files: the files on this machine whose contents go into an archive.

use crate::Error;
use std::fs::{self, File, Metadata};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Opens a regular file.
pub(crate) fn open(path: &Path) -> Result<(File, Metadata), Error> {
    // Check the type before opening: open(2) of a FIFO blocks until a writer opens it.
    let metadata = fs::metadata(path).map_err(|e| Error::at(path, e))?;
    if metadata.is_dir() {
        return Err(Error::at(path, "is a directory, not a file"));
    }
    if !metadata.is_file() {
        return Err(Error::at(path, "is not a regular file"));
    }
    let file = File::open(path).map_err(|e| Error::at(path, e))?;
    let metadata = file.metadata().map_err(|e| Error::at(path, e))?;
    Ok((file, metadata))
}

/// The permission bits of a file for which the user gave no mode. Only the owner's execute bit counts,
/// because the other bits depend on the umask of whoever made the file.
pub(crate) fn usual_mode(metadata: &Metadata) -> u32 {
    match metadata.permissions().mode() & 0o100 {
        0 => 0o644,
        _ => 0o755,
    }
}

/// Whether two source files have the same contents and the same [`usual_mode`].
pub(crate) fn is_same_file(one: &Path, other: &Path) -> Result<bool, Error> {
    let (one_file, one_metadata) = open(one)?;
    let (other_file, other_metadata) = open(other)?;
    if one_metadata.len() != other_metadata.len()
        || usual_mode(&one_metadata) != usual_mode(&other_metadata)
    {
        return Ok(false);
    }
    let mut one_file = BufReader::new(one_file);
    let mut other_file = BufReader::new(other_file);
    loop {
        let at = |path| move |e: io::Error| Error::at(path, e);
        let left = one_file.fill_buf().map_err(at(one))?;
        let right = other_file.fill_buf().map_err(at(other))?;
        let read = left.len().min(right.len());
        if left[..read] != right[..read] {
            return Ok(false);
        }
        if read == 0 {
            return Ok(left.len() == right.len());
        }
        one_file.consume(read);
        other_file.consume(read);
    }
}
