//! Errors, which name the file or the entry that they are about.

use crate::escape::escape_path;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::{fmt, io};

/// What is wrong with a file or an entry, in words that follow its path and a colon.
pub(crate) type Reason = Box<dyn std::error::Error + Send + Sync>;

/// An error that prevents making or reading an image.
#[derive(Debug)]
pub enum Error {
    /// Something is wrong with a file or with an entry of the archive.
    At {
        /// The path of the file on this machine, or of the entry in the archive.
        path: PathBuf,
        /// What is wrong. The text follows `path: `.
        reason: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The archive could not be written. Only the caller knows the name of the file.
    Output(io::Error),
    /// The archive could not be read. Only the caller knows the name of the file.
    Input(io::Error),
}

impl Error {
    pub(crate) fn at(path: impl Into<PathBuf>, reason: impl Into<Reason>) -> Self {
        Self::At {
            path: path.into(),
            reason: reason.into(),
        }
    }

    /// As [`at`](Self::at), for line `number` of `file`, counting from 1: `file:number: reason`, which
    /// editors can jump to.
    pub(crate) fn at_line(file: &Path, number: usize, reason: impl Into<Reason>) -> Self {
        let mut place = OsString::from(file);
        place.push(format!(":{number}"));
        Self::at(place, reason)
    }

    /// As [`at`](Self::at), for a path in the archive.
    pub(crate) fn entry(path: &[u8], reason: impl Into<Reason>) -> Self {
        Self::at(OsString::from_vec(path.to_owned()), reason)
    }

    /// Adds the name of the file to an error that has no path.
    pub(crate) fn of(self, file: &Path) -> Self {
        match self {
            Self::Output(error) | Self::Input(error) => Self::at(file, error),
            Self::At { .. } => self,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::At { path, reason } if path.as_os_str().is_empty() => write!(f, "\"\": {reason}"),
            Self::At { path, reason } => {
                write!(f, "{}: {reason}", escape_path(path))
            }
            Self::Output(error) => write!(f, "cannot write the archive: {error}"),
            Self::Input(error) => write!(f, "cannot read the archive: {error}"),
        }
    }
}

impl std::error::Error for Error {}
