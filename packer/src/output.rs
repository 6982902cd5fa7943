//! Files that are there when they are complete, or as they were before.

use crate::Error;
use std::fs::{self, File};
use std::path::Path;
use tempfile::NamedTempFile;

/// A file that is still being written, under another name beside the one that it will have.
/// Dropped, it leaves nothing behind.
pub(crate) struct Pending<'a> {
    file: NamedTempFile<File>,
    path: &'a Path,
}

impl<'a> Pending<'a> {
    pub fn create(path: &'a Path) -> Result<Self, Error> {
        // Renaming over it would replace /dev/null, say, by a file.
        if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            return Err(Error::at(path, "exists and is not a regular file"));
        }
        let directory = match path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => return Err(Error::at(path, "is not the name of a file")),
        };
        // Made by std rather than by tempfile: with the permissions of any new file instead of 0600,
        // and without the temporary name, which means nothing to anybody, in errors.
        let create = |path: &Path| {
            File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(path)
        };
        let file = tempfile::Builder::new()
            .prefix(".packer-")
            .make_in(directory, create)
            .map_err(|error| Error::at(path, error))?;
        Ok(Self { file, path })
    }

    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Gives the file its name.
    pub fn commit(self) -> Result<(), Error> {
        let Self { file, path } = self;
        file.persist(path)
            .map(drop)
            .map_err(|error| Error::at(path, error.error))
    }
}
