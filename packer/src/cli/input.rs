//! What the subcommands share that look into images.

use anyhow::{Context, Result};
use packer::Error;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;

/// Reads a file by `read`, whose errors get the name of the file.
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

/// Writes to standard output. That nobody wants to read more, as in `packer list ... | head`, is no
/// error.
pub fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.context("standard output"),
    }
}
