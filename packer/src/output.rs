//! Files that are there when they are complete, or as they were before.

use crate::Error;
use crate::escape::escape;
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

/// Where a file is to be written. It has been looked at, and nothing has been made or changed.
#[derive(Debug)]
pub struct OutFile {
    /// As it was named.
    path: PathBuf,
    place: Destination,
}

#[derive(Debug)]
enum Destination {
    /// A regular file, there or not yet, which the complete one replaces. This is its own path: a
    /// symbolic link stays, and what it leads to is replaced.
    File(PathBuf),
    /// A device, a pipe, or a file that somebody has open, such as `/dev/stdout`: written to as it is.
    InPlace,
}

impl OutFile {
    /// The file at `path`.
    ///
    /// # Errors
    /// If it is a directory, or if `path` leads nowhere. That it cannot be written may show only when
    /// it is.
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

    /// Writes it.
    ///
    /// # Errors
    /// [`Error::At`] if it cannot be written. It is then as it was before.
    pub fn write(&self, contents: &[u8]) -> Result<(), Error> {
        let pending = self.begin()?;
        let written = pending.file().write_all(contents);
        written.map_err(|error| pending.failed(error))?;
        pending.commit()
    }

    /// # Errors
    /// If this is the file `input`, under whatever name: to write it would be to destroy `input`.
    pub fn refuse_over(&self, input: &Path) -> Result<(), Error> {
        match self.is(input) {
            true => Err(self.refused(input, "which is read for the image")),
            false => Ok(()),
        }
    }

    /// # Errors
    /// If both are one file: one would replace the other.
    pub fn refuse_both(&self, other: &Self) -> Result<(), Error> {
        let is_same_place = match (&self.place, &other.place) {
            (Destination::File(own), Destination::File(others)) => is_same_path(own, others),
            _ => false,
        };
        match is_same_place || self.is(&other.path) {
            true => Err(self.refused(&other.path, "which is written, too")),
            false => Ok(()),
        }
    }

    /// Whether this is the file at `path`, and one that can be destroyed: to /dev/null and to terminals,
    /// anybody may write at once.
    fn is(&self, path: &Path) -> bool {
        match (fs::metadata(&self.path), fs::metadata(path)) {
            (Ok(own), Ok(other)) => !own.file_type().is_char_device() && is_same(&own, &other),
            _ => false,
        }
    }

    /// # Errors
    /// If this is inside of the directory `packed`: it would be packed the next time.
    pub fn refuse_inside(&self, packed: &Path) -> Result<(), Error> {
        let Destination::File(path) = &self.place else {
            return Ok(());
        };
        // Where one of them is not there, that is for others to say.
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
                let packed = escape(packed.as_os_str().as_bytes());
                let reason = format!("is inside {packed}, which is to be packed");
                Err(Error::at(&self.path, reason))
            }
            false => Ok(()),
        }
    }

    /// Begins to write it.
    pub(crate) fn begin(&self) -> Result<Pending<'_>, Error> {
        let unfinished = match &self.place {
            Destination::File(path) => {
                let directory = directory_of(path);
                let file = temporary_file(directory).map_err(|error| {
                    let directory = escape(directory.as_os_str().as_bytes());
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

    /// Opens what is written to as it is.
    fn open(&self) -> io::Result<File> {
        // Where it is standard output, that may be at any place in a file, or be a socket, which
        // cannot be opened by its name.
        let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        if is_same(&stdout.metadata()?, &fs::metadata(&self.path)?) {
            return Ok(stdout);
        }
        let mut options = File::options();
        // What somebody else has open may have something in it. A disk would be written to at its end.
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
        let directory = escape(directory.as_os_str().as_bytes());
        let reason = format!("cannot write a temporary file to {directory}: {error}");
        Error::at(&self.path, reason)
    }

    fn refused(&self, other: &Path, what: &str) -> Error {
        let other = escape(other.as_os_str().as_bytes());
        let reason = format!("would replace {other}, {what}; name another file");
        Error::at(&self.path, reason)
    }
}

/// A file that is still being written. Dropped, it leaves nothing behind.
pub(crate) struct Pending<'a> {
    out: &'a OutFile,
    unfinished: Unfinished<'a>,
}

enum Unfinished<'a> {
    /// Under another name beside the path that it will have.
    Beside(NamedTempFile<File>, &'a Path),
    /// Without a name. Once complete, it is copied to the other.
    Spool(File, File),
}

impl Pending<'_> {
    pub fn file(&self) -> &File {
        match &self.unfinished {
            Unfinished::Beside(file, _) => file.as_file(),
            Unfinished::Spool(file, _) => file,
        }
    }

    /// That [`file`](Self::file) cannot be written.
    pub fn failed(&self, error: io::Error) -> Error {
        match &self.unfinished {
            Unfinished::Beside(..) => self.out.failed(error),
            Unfinished::Spool(..) => self.out.failed_to_spool(error),
        }
    }

    /// Puts the file where it is to be.
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

/// Gives `file` its name. When the machine loses power, there is the file that was there or this one,
/// but none of which only the name is there.
fn replace(file: NamedTempFile<File>, path: &Path) -> io::Result<()> {
    sync(file.as_file())?;
    file.persist(path)?;
    // Not every directory that can be written to can be read.
    File::open(directory_of(path)).map_or(Ok(()), |directory| sync(&directory))
}

fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        // Not every file system can do it, and of directories even fewer.
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

/// The files that may be there under another name.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn temporary_files() -> MutexGuard<'static, Vec<PathBuf>> {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner)
}

fn temporary_file(directory: &Path) -> io::Result<NamedTempFile<File>> {
    // Made by std rather than by tempfile: with the permissions of any new file instead of 0600, and
    // without the temporary name, which means nothing to anybody, in errors.
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

/// Removes every file that is not complete yet, for a program that a signal is about to end. As long as
/// what this returns is there, no other is begun.
pub fn abandon() -> impl Drop {
    let files = temporary_files();
    for file in files.iter() {
        // One that is complete is no longer under this name.
        let _ = fs::remove_file(file);
    }
    files
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Whether two paths that may have nothing there yet are one.
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

/// Where the symbolic link at `path` leads, if it is one, whether something is there or not. `None` if
/// that goes through one of /proc, which leads to an open file and not to a path.
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
