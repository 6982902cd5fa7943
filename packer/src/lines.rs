//! Lines of text files, as errors name them.

use crate::Error;
use std::ffi::OsString;
use std::path::Path;

/// As [`Error::at`], for line `number` of `file`, counting from 1: `file:number: reason`, which
/// editors take one to.
pub(crate) fn at_line(
    file: &Path,
    number: usize,
    reason: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    let mut place = OsString::from(file);
    place.push(format!(":{number}"));
    Error::at(place, reason)
}
