//! From an image to files of this machine.

mod attributes;
mod confined;
mod extraction;
mod node;

use crate::{Error, escape::escape};
use bstr::BStr;
use extraction::Extraction;
use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What of an image is extracted.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExtractOptions {
    /// Leave out character and block devices, which only root can make.
    pub skip_devices: bool,
}

/// Extracts `image` to `directory`, which is made, or is empty.
///
/// As in Linux, an archive overrides those before it. Nothing outside of `directory` is made, changed
/// or linked to, whatever the image says: absolute paths are paths in it, and neither `..` nor a
/// symbolic link is followed.
///
/// In `directory`, nothing is written to, changed or linked to but what this extraction has made there,
/// whatever another process does, and only regular files and directories are opened. While root
/// extracts, the directory has mode 0700. To change what it has made, but for directories, takes
/// `/proc`.
///
/// Modes and times are those of the image; owners, too, but only if root does this. If not, nothing
/// gets set-user-ID and set-group-ID, which would now mean another user.
///
/// An entry that cannot be extracted, or not as it is, is given to `report` as an [`Error::At`] with
/// its path in the image, and all others are extracted.
///
/// # Errors
/// [`Error::At`] if `directory` cannot be used, or a file in it not be written because of something
/// that will keep others from it, too, such as a disk that is full; [`Error::Input`] if the image
/// cannot be read or is broken. What came before that stays.
pub fn extract(
    image: impl Read,
    directory: &Path,
    options: ExtractOptions,
    report: &mut dyn FnMut(Error),
) -> Result<(), Error> {
    let opened = open_empty(directory)?;
    let mut extraction = Extraction::new(opened, options)
        .map_err(|errno| Error::at(directory, io::Error::from(errno)))?;
    let result = extraction.run(image, &mut |path, failure| {
        failure.sort(directory, path, report)
    });
    // These come last: what is put into a directory changes its time, and its mode may forbid it. After
    // an error, too, for what was extracted stays.
    extraction.finish(&mut |path, failure| report(failure.of(path)));
    result
}

/// The directory, made if need be.
fn open_empty(directory: &Path) -> Result<OwnedFd, Error> {
    let failed = |errno: Errno| Error::at(directory, io::Error::from(errno));
    match fs::mkdir(directory, Mode::from_raw_mode(0o777)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(failed(errno)),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = fs::open(directory, flags, Mode::empty()).map_err(failed)?;
    for entry in fs::Dir::read_from(&opened).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            let name = escape(entry.file_name().to_bytes()).to_string();
            let reason = format!(
                "has {name} in it; extract to a directory that is empty, or that is not there yet"
            );
            return Err(Error::at(directory, reason));
        }
    }
    Ok(opened)
}

/// Why an entry is not extracted, or not as it is.
enum Failure {
    /// Because of what it is.
    Entry(String),
    /// Because of what this machine says.
    Os(Errno),
    /// Because the image cannot be read.
    Image(io::Error),
}

impl Failure {
    fn entry(reason: impl Into<String>) -> Self {
        Self::Entry(reason.into())
    }

    /// Reports it, or makes it an error that ends the extraction.
    fn sort(
        self,
        directory: &Path,
        path: &BStr,
        report: &mut dyn FnMut(Error),
    ) -> Result<(), Error> {
        match self {
            Self::Image(error) => Err(Error::Input(error)),
            // Whatever comes next would fail, too.
            Self::Os(
                errno @ (Errno::DQUOT
                | Errno::IO
                | Errno::MFILE
                | Errno::NFILE
                | Errno::NOMEM
                | Errno::NOSPC
                | Errno::ROFS),
            ) => {
                let relative = path.strip_prefix(b"/").unwrap_or(path);
                let file = directory.join(OsStr::from_bytes(relative));
                Err(Error::at(file, io::Error::from(errno)))
            }
            failure => {
                report(failure.of(path));
                Ok(())
            }
        }
    }

    /// The error that says so of an entry.
    fn of(self, path: &BStr) -> Error {
        match self {
            Self::Entry(reason) => Error::entry(path, reason),
            Self::Os(errno) => Error::entry(path, io::Error::from(errno)),
            Self::Image(error) => Error::entry(path, error),
        }
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self::Os(errno)
    }
}
