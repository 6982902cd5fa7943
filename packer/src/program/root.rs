//! Paths below the root directory of the programs, which need not be that of this machine.

use crate::paths::{self, SYMLINKS_MAX};
use crate::{Entry, Kind, MODE_MAX};
use bstr::{BString, ByteSlice};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The directory that is `/` for the programs.
pub(crate) struct Root<'a>(pub &'a Path);

/// An existing file or directory.
pub(crate) struct Found {
    /// Its path below the root, without symbolic links. Empty for the root.
    pub real: BString,
    /// Its path on this machine.
    pub source: PathBuf,
    pub metadata: Metadata,
    /// What the path leads through, with the file itself: everything without which the path would not lead
    /// there in the guest.
    pub passed: Vec<(BString, Entry)>,
}

impl Root<'_> {
    /// Looks up a path, and follows symbolic links as the guest will: an absolute one begins at this root.
    pub fn find(&self, path: &[u8]) -> io::Result<Found> {
        let mut real = BString::default();
        let mut metadata = fs::metadata(self.0)?;
        let mut passed = Vec::new();
        let mut followed = 0;
        // The names that are left, the next one last.
        let mut rest = Vec::new();
        paths::push_names(&mut rest, path);
        while let Some(name) = rest.pop() {
            if !metadata.is_dir() {
                return Err(Errno::NOTDIR.into());
            }
            if name == ".." {
                let end = real.rfind_byte(b'/').unwrap_or(0);
                real.truncate(end);
                continue;
            }
            let next: BString = [real.as_slice(), b"/", &name].concat().into();
            let source = self.source(&next);
            let found = fs::symlink_metadata(&source)?;
            if found.is_symlink() {
                followed += 1;
                if followed > SYMLINKS_MAX {
                    return Err(Errno::LOOP.into());
                }
                let target: BString = fs::read_link(&source)?.into_os_string().into_vec().into();
                if target.starts_with(b"/") {
                    real.clear();
                }
                paths::push_names(&mut rest, &target);
                passed.push((next, Entry::new(Kind::Symlink { target })));
                continue;
            }
            let entry = if found.is_dir() {
                Entry::PARENT
            } else {
                Entry {
                    mode: Some(found.permissions().mode() & MODE_MAX),
                    ..Entry::new(Kind::File { source })
                }
            };
            passed.push((next.clone(), entry));
            (real, metadata) = (next, found);
        }
        Ok(Found {
            source: self.source(&real),
            real,
            metadata,
            passed,
        })
    }

    /// As [`find`](Self::find). `None` if nothing is there.
    pub fn find_if_exists(&self, path: &[u8]) -> io::Result<Option<Found>> {
        match self.find(path) {
            Err(error) if is_missing(&error) => Ok(None),
            found => found.map(Some),
        }
    }

    /// The path on this machine.
    pub fn source(&self, path: &[u8]) -> PathBuf {
        self.0
            .join(OsStr::from_bytes(path.trim_start_with(|c| c == '/')))
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// The directory part of an absolute path: `/` for `/a`.
pub(crate) fn parent(path: &[u8]) -> &[u8] {
    match path.rfind_byte(b'/') {
        None | Some(0) => b"/",
        Some(end) => &path[..end],
    }
}

/// The last name of a path.
pub(crate) fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit_str("/").next().unwrap_or_default()
}
