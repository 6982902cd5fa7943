//! What can go wrong, and to which file.

use std::path::PathBuf;
use std::{fmt, io};

/// Anything that keeps an image from being made.
#[derive(Debug)]
pub enum Error {
    /// An input or an output file, or an entry of the archive, is not as it has to be.
    At {
        /// What the error is about: a path of this machine, or one in the archive.
        path: PathBuf,
        /// What is wrong with it, in words that follow `path: `.
        reason: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The archive could not be written. Only the caller knows to which file it was going.
    Output(io::Error),
}

impl Error {
    pub(crate) fn at(
        path: impl Into<PathBuf>,
        reason: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::At {
            path: path.into(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::At { path, reason } if path.as_os_str().is_empty() => write!(f, "\"\": {reason}"),
            Self::At { path, reason } => write!(f, "{}: {reason}", path.display()),
            Self::Output(error) => write!(f, "cannot write the archive: {error}"),
        }
    }
}

impl std::error::Error for Error {}
