//! Extracts an image to a directory of this machine.
//!
//! ```
//! use packer::extract::{ExtractOptions, extract};
//! use packer::{Entry, Kind, Tree, archive};
//! # let mut tree = Tree::new();
//! # tree.insert("/etc/hostname", Entry::new(Kind::Contents { bytes: b"guest\n".to_vec() }))?;
//! # let image = archive::write(&tree, 0, Vec::new())?;
//!
//! let place = tempfile::tempdir().unwrap();
//! let directory = place.path().join("unpacked");
//! extract(&image[..], &directory, ExtractOptions::default(), &mut |error| panic!("{error}"))?;
//! assert_eq!(std::fs::read(directory.join("etc/hostname")).unwrap(), b"guest\n");
//! # Ok::<(), packer::Error>(())
//! ```

mod attributes;
mod confined;
mod extraction;
mod filter;
mod node;
mod part;

use crate::pattern::Selection;
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

/// Options of [`extract`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ExtractOptions {
    /// Skip character and block devices, which only root can make.
    pub skip_devices: bool,
    /// Leave out so many names at the start of each path. Entries without further names are skipped.
    pub strip_components: usize,
    /// Called with the path of each entry that is extracted, before it is.
    pub announce: Option<fn(&BStr)>,
    /// The most entries that the image may have.
    pub entries_max: Option<u64>,
    /// The most bytes that the contents of all its files may have.
    pub size_max: Option<u64>,
}

/// Extracts `image` to `directory`, which must be empty. If it does not exist, it is made.
///
/// As in Linux, an archive overrides earlier ones. Nothing outside `directory` is made, changed or linked
/// to, whatever the image contains: absolute paths are paths in `directory`, and neither `..` nor symbolic
/// links are followed.
///
/// In `directory`, the extraction writes to, changes and links only files that it has made itself,
/// whatever another process does there. It opens only regular files and directories. While root
/// extracts, the directory has mode 0700. Changing a file after it was made needs `/proc`, except for a
/// directory.
///
/// Modes and times are those of the image. If root extracts, so are the owners. Otherwise set-user-ID and
/// set-group-ID are removed, because the files belong to another user than in the image.
///
/// If an entry cannot be extracted as it is in the image, `report` gets an [`Error::At`] with the path in
/// the image, and the extraction continues.
///
/// # Errors
/// [`Error::At`] if `directory` cannot be used, or if a file cannot be written for a reason that also
/// affects other files, such as a full disk. [`Error::Input`] if the image cannot be read or is damaged, or exceeds a limit.
/// The files that were extracted before the error stay.
pub fn extract(
    image: impl Read,
    directory: &Path,
    options: ExtractOptions,
    report: &mut dyn FnMut(Error),
) -> Result<(), Error> {
    extract_part(image, directory, options, &mut Selection::default(), report)
}

/// As [`extract`], but extracts only the entries of which `selection` selects the paths, and their parent
/// directories. `report` also gets an error for each pattern that matches no entry.
///
/// A pattern must match the whole path, also if names at its start are to be left out.
///
/// All names of a file have its contents, even if the archive has them with a name that is not selected.
///
/// # Errors
/// Those of [`extract`].
pub fn extract_part(
    image: impl Read,
    directory: &Path,
    options: ExtractOptions,
    selection: &mut Selection,
    report: &mut dyn FnMut(Error),
) -> Result<(), Error> {
    let opened = open_empty(directory)?;
    let mut extraction = Extraction::new(opened, options)
        .map_err(|errno| Error::at(directory, io::Error::from(errno)))?;
    let result = extraction.run(image, selection, &mut |path, failure| {
        failure.sort(directory, path, report)
    });
    // Set the attributes of directories last: adding a file changes the time of its directory, and the mode
    // of a directory may forbid it. Also after an error, because the extracted files stay.
    extraction.finish(&mut |path, failure| report(failure.of(path)));
    result?;
    selection.unmatched().for_each(report);
    Ok(())
}

/// Makes the directory if it does not exist, and opens it. Fails if it is not empty.
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

/// The reason why an entry is not extracted as it is in the image.
enum Failure {
    /// Something is wrong with the entry itself.
    Entry(String),
    /// A system call failed.
    Os(Errno),
    /// The image cannot be read.
    Image(io::Error),
}

impl Failure {
    fn entry(reason: impl Into<String>) -> Self {
        Self::Entry(reason.into())
    }

    /// For an error of writing.
    fn os(error: io::Error) -> Self {
        Self::Os(Errno::from_io_error(&error).unwrap_or(Errno::IO))
    }

    /// Reports the failure, or returns it as an error if it must end the extraction.
    fn sort(
        self,
        directory: &Path,
        path: &BStr,
        report: &mut dyn FnMut(Error),
    ) -> Result<(), Error> {
        match self {
            Self::Image(error) => Err(Error::Input(error)),
            // The next entries would fail, too.
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

    /// The error for the entry at `path`.
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
