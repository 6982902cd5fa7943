//! From a tree to an image file.

use crate::{Compression, Error, Tree, archive};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

/// Writes `tree`, with all times `mtime` in seconds since 1970, compressed, to the file `out`.
///
/// The file is there when it is complete, or it is as it was before: it is written under another
/// name beside `out` and then renamed.
///
/// # Errors
/// Those of [`archive::write`], always as [`Error::At`]; and if `out` exists and is not a regular
/// file.
pub fn create(out: &Path, tree: &Tree, mtime: u32, compression: Compression) -> Result<(), Error> {
    // Renaming over it would replace /dev/null, say, by a file.
    if fs::metadata(out).is_ok_and(|there| !there.is_file()) {
        return Err(Error::at(out, "exists and is not a regular file"));
    }
    write_beside(out, tree, mtime, compression).map_err(|error| match error {
        Error::Output(error) => Error::at(out, error),
        error => error,
    })
}

fn write_beside(
    out: &Path,
    tree: &Tree,
    mtime: u32,
    compression: Compression,
) -> Result<(), Error> {
    let directory = match out.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Err(Error::at(out, "is not the name of a file")),
    };
    // Made by std rather than by tempfile: with the permissions of any new file instead of 0600,
    // and without the temporary name, which means nothing to anybody, in errors.
    let file = tempfile::Builder::new()
        .prefix(".packer-")
        .make_in(directory, |path| File::create_new(path))
        .map_err(Error::Output)?;

    let encoder = compression.encoder(BufWriter::new(file.as_file()));
    let encoder = archive::write(tree, mtime, encoder)?;
    encoder
        .finish()
        .and_then(|mut buffer| buffer.flush())
        .map_err(Error::Output)?;
    file.persist(out)
        .map(drop)
        .map_err(|error| Error::Output(error.error))
}
