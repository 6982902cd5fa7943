//! Directories to extract to, and their contents.

#![allow(dead_code)] // No test uses everything.

use crate::images::{CHAR, E, archive, device};
use packer::Error;
use packer::extract::{ExtractOptions, extract};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory with `outside`, which nothing may change, and room for `inside`.
pub struct Place(pub TempDir);

impl Place {
    pub fn new() -> Self {
        Self::at(TempDir::new())
    }

    /// In memory if possible, because a disk would take most of the time.
    pub fn in_memory() -> Self {
        Self::at(TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()))
    }

    fn at(directory: io::Result<TempDir>) -> Self {
        let place = Self(directory.unwrap());
        fs::create_dir(place.path("outside")).unwrap();
        fs::write(place.path("outside/victim"), "precious").unwrap();
        place
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// The reports and the result.
    pub fn extract(&self, image: impl Read) -> (Vec<String>, Result<(), Error>) {
        let mut reports = Vec::new();
        let mut report = |error: Error| reports.push(error.to_string());
        let result = extract(
            image,
            &self.path("inside"),
            ExtractOptions::default(),
            &mut report,
        );
        (reports, result)
    }

    /// The reports for an image that is not damaged.
    pub fn reports(&self, entries: &[E]) -> Vec<String> {
        let (reports, result) = self.extract(&archive(entries)[..]);
        result.unwrap();
        reports
    }

    pub fn inside(&self) -> BTreeMap<String, String> {
        state(&self.path("inside"))
    }
}

/// Type, mode and contents by path, without the directory itself.
pub fn state(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let file_type = metadata.file_type();
            let what = if file_type.is_dir() {
                directories.push(path.clone());
                "dir".to_owned()
            } else if file_type.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else if file_type.is_file() {
                format!(
                    "file {}",
                    String::from_utf8_lossy(&fs::read(&path).unwrap())
                )
            } else if file_type.is_fifo() {
                "fifo".to_owned()
            } else if file_type.is_socket() {
                "socket".to_owned()
            } else {
                format!("device {:x}", metadata.rdev())
            };
            let mode = metadata.mode() & 0o7777;
            let path = path.strip_prefix(directory).unwrap().display().to_string();
            found.insert(
                path,
                match file_type.is_symlink() {
                    true => what,
                    false => format!("{mode:04o} {what}"),
                },
            );
        }
    }
    found
}

/// Whether the user is root in a user namespace that has all users.
pub fn is_root() -> bool {
    let users = fs::read_to_string("/proc/self/uid_map").unwrap();
    let all = ["0", "0", "4294967295"];
    rustix::process::geteuid().is_root() && users.split_whitespace().eq(all)
}

/// Whether the user can make devices. Root in a container cannot.
pub fn may_make_devices() -> bool {
    let place = Place::new();
    place
        .reports(&[device("null", CHAR | 0o600, (1, 3))])
        .is_empty()
}

pub fn found(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries
        .iter()
        .map(|&(path, what)| (path.to_owned(), what.to_owned()))
        .collect()
}

pub fn make_fifo(path: &Path) {
    rustix::fs::mkfifoat(rustix::fs::CWD, path, 0o600.into()).unwrap();
}

/// Calls `act` when everything before it has been read, to simulate another process. If it is between
/// uncompressed entries, the entries before it have been extracted by then.
pub struct Meanwhile<F>(pub Option<F>);

pub fn meanwhile<F: FnOnce()>(act: F) -> Meanwhile<F> {
    Meanwhile(Some(act))
}

impl<F: FnOnce()> Read for Meanwhile<F> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        if let Some(act) = self.0.take() {
            act();
        }
        Ok(0)
    }
}
