//! Reading images and manifests.

use packer::Error;
use std::fs::File;
use std::path::Path;

/// Opens a file and calls `read`. Adds the name of the file to errors.
pub fn read<T>(path: &Path, read: impl FnOnce(File) -> Result<T, Error>) -> Result<T, Error> {
    let file = File::open(path).map_err(Error::Input);
    file.and_then(read).map_err(|error| match error {
        Error::Input(error) => Error::At {
            path: path.into(),
            reason: error.into(),
        },
        error => error,
    })
}
