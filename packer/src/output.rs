//! Output files, which are replaced when the new file is complete, and not changed before that.
//!
//! ```no_run
//! use packer::output::OutFile;
//! use std::path::Path;
//!
//! let out = OutFile::at(Path::new("image"))?;
//! out.refuse_inside(Path::new("tree"))?;
//! out.write(b"contents")?;
//! # Ok::<(), packer::Error>(())
//! ```

use crate::Error;
use crate::escape::escape_path;
use crate::paths::{SYMLINKS_MAX, names_directory};
use rustix::fs::{PROC_SUPER_MAGIC, statfs};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::NamedTempFile;

/// An output file that is not open yet. Making an `OutFile` changes nothing on the disk.
#[derive(Debug)]
pub struct OutFile {
    /// The path as the user gave it.
    path: PathBuf,
    place: Destination,
}

#[derive(Debug)]
enum Destination {
    /// A regular file to replace or to make. This is its path behind any symbolic links, which stay.
    File(PathBuf),
    /// A device, a pipe, or an open file such as `/dev/stdout`. It is opened and written to.
    InPlace,
}

impl OutFile {
    /// The output file at `path`.
    ///
    /// # Errors
    /// If it is a directory, or if `path` cannot be the path of a file. Whether it can be written is not
    /// checked.
    pub fn at(path: &Path) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::at(path, error);
        let is_file = match fs::metadata(path) {
            Ok(present) if present.is_dir() => return Err(Error::at(path, "is a directory")),
            Ok(present) => present.is_file(),
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            Err(error) => return Err(failed(error)),
        };
        let own_path = match is_file {
            true => behind_links(path).map_err(failed)?,
            false => None,
        };
        if own_path
            .as_ref()
            .is_some_and(|path| names_directory(path.as_os_str().as_bytes()))
        {
            return Err(Error::at(path, "is not the path of a file"));
        }
        Ok(Self {
            path: path.into(),
            place: own_path.map_or(Destination::InPlace, Destination::File),
        })
    }

    /// The path as the user gave it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fails if the file cannot be written now.
    ///
    /// # Errors
    /// [`Error::At`].
    pub fn check(&self) -> Result<(), Error> {
        self.begin().map(drop)
    }

    /// Writes `contents` to the file.
    ///
    /// # Errors
    /// [`Error::At`] if the file cannot be written. It is then unchanged.
    pub fn write(&self, contents: &[u8]) -> Result<(), Error> {
        let pending = self.begin()?;
        let written = pending.file().write_all(contents);
        written.map_err(|error| pending.failed(error))?;
        pending.commit()
    }

    /// # Errors
    /// If this is the file `input`, even under another name, because writing would destroy `input`.
    pub fn refuse_over(&self, input: &Path) -> Result<(), Error> {
        match self.is(input) {
            true => Err(self.refused(input, "which is read for the image")),
            false => Ok(()),
        }
    }

    /// # Errors
    /// If both are the same file, because one would replace the other.
    pub fn refuse_both(&self, other: &Self) -> Result<(), Error> {
        let is_same_place = match (&self.place, &other.place) {
            (Destination::File(own), Destination::File(others)) => is_same_path(own, others),
            _ => false,
        };
        match is_same_place || self.is(&other.path) {
            true => Err(self.refused(&other.path, "which is also written")),
            false => Ok(()),
        }
    }

    /// Whether this is the file at `path`. False for character devices such as /dev/null and terminals:
    /// writing to one destroys nothing.
    fn is(&self, path: &Path) -> bool {
        match (fs::metadata(&self.path), fs::metadata(path)) {
            (Ok(own), Ok(other)) => !own.file_type().is_char_device() && is_same(&own, &other),
            _ => false,
        }
    }

    /// # Errors
    /// If this is inside the directory `packed`, because the next image would contain it.
    pub fn refuse_inside(&self, packed: &Path) -> Result<(), Error> {
        let Destination::File(path) = &self.place else {
            return Ok(());
        };
        // If one of them does not exist, opening it fails later with a better error.
        let (Ok(parent), Ok(packed_there)) =
            (fs::canonicalize(directory_of(path)), fs::metadata(packed))
        else {
            return Ok(());
        };
        let is_packed = |directory: &Path| {
            fs::metadata(directory).is_ok_and(|directory| is_same(&directory, &packed_there))
        };
        match parent.ancestors().any(is_packed) {
            true => {
                let packed = escape_path(packed);
                let reason = format!("is inside {packed}, which is to be packed");
                Err(Error::at(&self.path, reason))
            }
            false => Ok(()),
        }
    }

    /// Opens a temporary file for the contents.
    pub(crate) fn begin(&self) -> Result<Pending<'_>, Error> {
        let unfinished = match &self.place {
            Destination::File(path) => {
                let directory = directory_of(path);
                let file = temporary_file(directory).map_err(|error| {
                    let directory = escape_path(directory);
                    let reason = format!("cannot make a file in {directory}: {error}");
                    Error::at(&self.path, reason)
                })?;
                Unfinished::Beside(file, path)
            }
            Destination::InPlace => {
                let target = self.open().map_err(|error| self.failed(error))?;
                let spool = tempfile::tempfile().map_err(|error| self.failed_to_spool(error))?;
                Unfinished::Spool(spool, target)
            }
        };
        let out = self;
        Ok(Pending { out, unfinished })
    }

    /// Opens the file itself, for [`Destination::InPlace`].
    fn open(&self) -> io::Result<File> {
        // Standard output may have any offset in a file, and may be a socket, which cannot be opened by its
        // path. So do not open it again.
        let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        if is_same(&stdout.metadata()?, &fs::metadata(&self.path)?) {
            return Ok(stdout);
        }
        let mut options = File::options();
        // An open file may have contents, which stay. For a disk, appending would write at its end.
        match fs::metadata(&self.path)?.is_file() {
            true => options.append(true),
            false => options.write(true),
        };
        options.open(&self.path)
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::at(&self.path, error)
    }

    fn failed_to_spool(&self, error: io::Error) -> Error {
        let directory = std::env::temp_dir();
        let directory = escape_path(&directory);
        let reason = format!("cannot write a temporary file to {directory}: {error}");
        Error::at(&self.path, reason)
    }

    fn refused(&self, other: &Path, what: &str) -> Error {
        let other = escape_path(other);
        let reason = format!("would replace {other}, {what}; name another file");
        Error::at(&self.path, reason)
    }
}

/// A file that is being written. Dropping it removes the temporary file.
pub(crate) struct Pending<'a> {
    out: &'a OutFile,
    unfinished: Unfinished<'a>,
}

enum Unfinished<'a> {
    /// A temporary file, and the path that it gets when it is complete, in the same directory.
    Beside(NamedTempFile<File>, &'a Path),
    /// A temporary file without a name, and the file that it is copied to when it is complete.
    Spool(File, File),
}

impl Pending<'_> {
    pub fn file(&self) -> &File {
        match &self.unfinished {
            Unfinished::Beside(file, _) => file.as_file(),
            Unfinished::Spool(file, _) => file,
        }
    }

    /// The error for a failed write to [`file`](Self::file).
    pub fn failed(&self, error: io::Error) -> Error {
        match &self.unfinished {
            Unfinished::Beside(..) => self.out.failed(error),
            Unfinished::Spool(..) => self.out.failed_to_spool(error),
        }
    }

    /// Replaces the output file, or copies the contents to it.
    pub fn commit(self) -> Result<(), Error> {
        let committed = match self.unfinished {
            Unfinished::Beside(file, path) => replace(file, path),
            Unfinished::Spool(mut spool, mut target) => spool
                .rewind()
                .and_then(|()| io::copy(&mut spool, &mut target))
                .map(drop),
        };
        committed.map_err(|error| self.out.failed(error))
    }
}

/// Renames `file` to `path`. If the machine loses power, `path` is either the old file or the complete new
/// one, because the contents are on the disk before the name.
fn replace(file: NamedTempFile<File>, path: &Path) -> io::Result<()> {
    sync(file.as_file())?;
    file.persist(path)?;
    // A directory may be writable but not readable. Then it cannot be opened.
    File::open(directory_of(path)).map_or(Ok(()), |directory| sync(&directory))
}

fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        // Some file systems cannot sync files, and more cannot sync directories.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// The paths of all temporary files made so far, including those that have been renamed or removed.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn temporary_files() -> MutexGuard<'static, Vec<PathBuf>> {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner)
}

fn temporary_file(directory: &Path) -> io::Result<NamedTempFile<File>> {
    // We open the file ourselves because tempfile would give it mode 0600 instead of the mode of a new
    // file, and would put the temporary name, which tells the user nothing, into errors.
    let create = |path: &Path| {
        File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
    };
    let mut files = temporary_files();
    let file = tempfile::Builder::new()
        .prefix(".packer-")
        .make_in(directory, create)?;
    files.push(file.path().into());
    Ok(file)
}

/// Removes all temporary files. For a program that is about to end by a signal. No new temporary file is
/// made until the returned guard is dropped.
pub fn abandon() -> impl Drop {
    let files = temporary_files();
    for file in files.iter() {
        // A complete file has another name by now.
        let _ = fs::remove_file(file);
    }
    files
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Whether two paths name the same file. The file does not have to exist.
fn is_same_path(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let directory = fs::metadata(directory_of(path)).ok()?;
        Some((
            directory.dev(),
            directory.ino(),
            path.file_name()?.to_owned(),
        ))
    };
    place(one).is_some() && place(one) == place(other)
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Follows symbolic links at the end of `path`. The last one may lead to a file that does not exist. `None`
/// if one of the links is in /proc, because such a link leads to an open file and not to a path.
fn behind_links(path: &Path) -> io::Result<Option<PathBuf>> {
    let mut path = path.to_owned();
    for _ in 0..SYMLINKS_MAX {
        let directory = directory_of(&path);
        match fs::read_link(&path) {
            Ok(_) if statfs(directory)?.f_type == PROC_SUPER_MAGIC => return Ok(None),
            Ok(target) => path = directory.join(target),
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound) => {
                return Ok(Some(path));
            }
            Err(error) => return Err(error),
        }
    }
    Err(rustix::io::Errno::LOOP.into())
}
