//! Reading images and manifests.

use packer::Error;
use packer::escape::escape_path;
use std::fs::File;
use std::io::{self, IsTerminal, Seek};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// The argument that stands for standard input or output, as usual.
const DASH: &str = "-";

/// Whether standard input has been opened. It can be read only once.
static STDIN: AtomicBool = AtomicBool::new(false);

pub fn is_dash(path: &Path) -> bool {
    path == Path::new(DASH)
}

/// The name of an input in messages.
pub fn name(path: &Path) -> &Path {
    match is_dash(path) {
        true => Path::new("stdin"),
        false => path,
    }
}

/// Opens a file, or standard input for `-`, and calls `read`. Adds the name of the file to errors.
pub fn read<T>(path: &Path, read: impl FnOnce(File) -> Result<T, Error>) -> Result<T, Error> {
    let file = match is_dash(path) {
        true => stdin(),
        false => File::open(path),
    };
    file.map_err(Error::Input)
        .and_then(read)
        .map_err(|error| match error {
            Error::Input(error) => Error::At {
                path: name(path).into(),
                reason: error.into(),
            },
            error => error,
        })
}

fn stdin() -> io::Result<File> {
    if STDIN.swap(true, Ordering::Relaxed) {
        return Err(io::Error::other(
            "`-` is named twice, but standard input can be read only once; name a file",
        ));
    }
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(io::Error::other(
            "is a terminal, from which no image can be read; connect a pipe, or redirect a file with `<IMAGE`",
        ));
    }
    Ok(stdin.as_fd().try_clone_to_owned()?.into())
}

/// The file itself if packer can read it several times, or else a copy of it.
pub fn seekable(mut file: File) -> Result<File, Error> {
    if file.metadata().map_err(Error::Input)?.is_file() {
        return Ok(file);
    }
    let directory = std::env::temp_dir();
    let failed = |error: io::Error| {
        let directory = escape_path(&directory);
        let reason = format!("cannot copy it to a temporary file in {directory}: {error}");
        Error::Input(io::Error::new(error.kind(), reason))
    };
    let mut copy = tempfile::tempfile().map_err(failed)?;
    io::copy(&mut file, &mut copy).map_err(failed)?;
    copy.rewind().map_err(failed)?;
    Ok(copy)
}
