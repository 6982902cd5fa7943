//! Extracts a part of an image: keeps what the selected entries need of the others, their parent directories and the
//! contents of hard links.

use super::Failure;
use super::attributes::Attributes;
use super::extraction::{Extraction, copy, open_again};
use crate::escape::{escape, escape_path};
use crate::reader::{Contents, CpioEntry, Link};
use bstr::{BStr, BString, ByteSlice};
use rustix::fs::FileType;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// What is known of the entries that are not selected.
#[derive(Default)]
pub(super) struct Unselected {
    /// The possible parents of entries, which are made for the first entry in them.
    parents: HashMap<BString, Parent>,
    /// The contents of files with several names in the current archive: their offset in `spool`, and their size. They
    /// are needed if one of the next names is selected.
    contents: HashMap<Link, (u64, u64)>,
    /// A temporary file.
    spool: Option<File>,
}

enum Parent {
    Directory(Attributes),
    Symlink,
}

impl Unselected {
    pub fn end_archive(&mut self) {
        self.contents.clear();
        self.spool = None;
    }

    fn set_aside(&mut self, link: Link, contents: Contents<impl Read>) -> Result<(), Failure> {
        let mut spool = match self.spool.take() {
            Some(spool) => spool,
            None => tempfile::tempfile().map_err(failed_to_spool)?,
        };
        let start = spool.seek(SeekFrom::End(0)).map_err(failed_to_spool)?;
        copy(contents, &spool).map_err(|failure| match failure {
            Failure::Os(errno) => failed_to_spool(errno.into()),
            failure => failure,
        })?;
        let end = spool.stream_position().map_err(failed_to_spool)?;
        self.contents.insert(link, (start, end - start));
        self.spool = Some(spool);
        Ok(())
    }

    /// Copies to `file` the contents that an earlier name of the file has.
    pub fn copy(&mut self, link: Link, mut file: &File) -> Result<(), Failure> {
        let (Some(spool), Some(&(start, size))) = (&mut self.spool, self.contents.get(&link))
        else {
            return Ok(());
        };
        let start = SeekFrom::Start(start);
        spool.seek(start).map_err(failed_to_spool)?;
        io::copy(&mut spool.take(size), &mut file).map_err(Failure::os)?;
        Ok(())
    }
}

/// The path without so many names at its start. `None` if nothing is left of it.
pub(super) fn without_names(path: &BStr, names: usize) -> Option<&BStr> {
    match names {
        0 => Some(path),
        names => {
            let mut slashes = path.find_iter(b"/");
            slashes.nth(names).map(|slash| path[slash..].as_bstr())
        }
    }
}

fn failed_to_spool(error: io::Error) -> Failure {
    let directory = std::env::temp_dir();
    let directory = escape_path(&directory);
    Failure::entry(format!(
        "cannot write a temporary file to {directory}: {error}"
    ))
}

impl Extraction {
    /// Takes from an entry that is not selected what others may need of it.
    pub fn unselected(
        &mut self,
        entry: &CpioEntry,
        path: &BStr,
        contents: Contents<impl Read>,
    ) -> Result<(), Failure> {
        if entry.skipped.is_some() {
            return Ok(());
        }
        let attributes = Attributes::new(&entry.header);
        let parents = &mut self.unselected.parents;
        match FileType::from_raw_mode(entry.header.mode) {
            FileType::Directory if self.directories.contains_key(path) => {
                self.set_in_the_end(path, attributes);
            }
            FileType::Directory => {
                let attributes = match parents.get(path) {
                    Some(Parent::Directory(present)) => present.then(attributes),
                    _ => attributes,
                };
                parents.insert(path.to_owned(), Parent::Directory(attributes));
            }
            // Linux drops a link in place of a directory, unless the directory is empty. But then no entry is in it.
            FileType::Symlink => {
                parents.entry(path.to_owned()).or_insert(Parent::Symlink);
            }
            FileType::RegularFile => {
                if let Some(link) = entry.link() {
                    return self.unselected_name(link, entry, contents);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes from an entry of whose path nothing is left what others may need of it.
    pub fn stripped(
        &mut self,
        entry: &CpioEntry,
        contents: Contents<impl Read>,
    ) -> Result<(), Failure> {
        let is_file = FileType::from_raw_mode(entry.header.mode) == FileType::RegularFile;
        match entry.link().filter(|_| is_file && entry.skipped.is_none()) {
            Some(link) => self.unselected_name(link, entry, contents),
            None => Ok(()),
        }
    }

    /// As in Linux, any name of a file can have the contents, and the attributes of the last name count.
    fn unselected_name(
        &mut self,
        link: Link,
        entry: &CpioEntry,
        contents: Contents<impl Read>,
    ) -> Result<(), Failure> {
        let has_contents = entry.header.filesize > 0;
        let Some(first) = self.links.get(&link).cloned() else {
            return match has_contents {
                true => self.unselected.set_aside(link, contents),
                false => Ok(()),
            };
        };
        let place = self.confined.find(first.as_bstr())?;
        match self.confined.node(&place)? {
            Some(node)
                if node.file_type() == FileType::RegularFile
                    && self.confined.is_recorded(&place, &node) =>
            {
                let file = open_again(&node, has_contents)?;
                copy(contents, &file)?;
                Attributes::new(&entry.header).set_open(&file)
            }
            _ => Ok(()),
        }
    }

    /// Makes the parents of a selected entry that are not selected themselves.
    pub fn make_parents(&mut self, path: &BStr) -> Result<(), Failure> {
        if self.unselected.parents.is_empty() {
            return Ok(());
        }
        for end in path.find_iter(b"/").skip(1) {
            let parent = path[..end].as_bstr();
            match self.unselected.parents.get(parent) {
                Some(&Parent::Directory(attributes)) => {
                    let place = self.confined.find(parent)?;
                    let present = self.confined.node(&place)?;
                    self.directory(&place, present, attributes)?;
                    self.unselected.parents.remove(parent);
                }
                Some(Parent::Symlink) => {
                    let parent = escape(parent);
                    return Err(Failure::entry(format!(
                        "leads through {parent}, a symbolic link, which is not followed"
                    )));
                }
                None => {}
            }
        }
        Ok(())
    }
}
