//! Extracting entry by entry.

use super::attributes::Attributes;
use super::confined::{Confined, Place, type_of};
use super::{Failure, Options};
use crate::contents::normalise;
use crate::entry::Device;
use crate::reader::{Contents, Entry, FileType, Item, Link, Reader};
use crate::{Error, escape::escape};
use bstr::{BStr, BString, ByteSlice};
use rustix::fs::{self, AtFlags, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::collections::{BTreeMap, HashMap, hash_map};
use std::fs::File;
use std::io::{BufRead, Read, Write};
use std::os::fd::OwnedFd;

/// What files and directories have while they are extracted.
const FILE_MODE: Mode = Mode::from_raw_mode(0o600);
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o700);

/// Takes failures, each with the path of the entry, and gives back those that end the extraction.
pub(super) type Report<'a> = &'a mut dyn FnMut(&BStr, Failure) -> Result<(), Error>;

pub(super) struct Extraction {
    confined: Confined,
    options: Options,
    /// The first name of what has several in the archive that is being extracted.
    links: HashMap<Link, BString>,
    /// What the directories are to have in the end.
    directories: BTreeMap<BString, Attributes>,
}

impl Extraction {
    pub fn new(directory: OwnedFd, options: Options) -> Self {
        Self {
            confined: Confined::new(directory),
            options,
            links: HashMap::new(),
            directories: BTreeMap::new(),
        }
    }

    pub fn run(&mut self, image: impl Read, report: Report) -> Result<(), Error> {
        let mut reader = Reader::new(image);
        while let Some(item) = reader.next_item()? {
            match item {
                Item::Archive(_) => self.links.clear(),
                Item::Entry(entry) => {
                    let path = normalise(entry.path.as_bstr());
                    if let Err(failure) = self.entry(&entry, path.as_bstr(), reader.contents()) {
                        report(path.as_bstr(), failure)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        entry: &Entry,
        path: &BStr,
        contents: Contents<impl Read>,
    ) -> Result<(), Failure> {
        let file_type = match (entry.skipped, entry.file_type()) {
            (None, Some(file_type)) => file_type,
            (Some(reason), _) => return Err(Failure::entry(format!("Linux skips it: {reason}"))),
            (None, None) => return Ok(()),
        };
        let is_device = matches!(file_type, FileType::CharDevice | FileType::BlockDevice);
        if is_device && self.options.skip_devices {
            return Ok(());
        }
        let attributes = Attributes::new(&entry.header);
        if path == "/" {
            self.directories.insert(path.to_owned(), attributes);
            return Ok(());
        }
        let first = match file_type {
            FileType::Directory | FileType::Symlink => None,
            _ => entry.link().and_then(|link| self.first_name(link, path)),
        };
        let place = self.confined.find(path)?;
        match (file_type, &first) {
            (FileType::Directory, _) => self.directory(path, &place, attributes)?,
            (FileType::Symlink, _) => {
                self.clear(path, &place, place.stat()?)?;
                fs::symlinkat(entry.target.as_slice(), &place.directory, place.name)?;
                attributes.set_symlink(&place)?;
            }
            (FileType::File, _) => {
                let file = match &first {
                    Some(first) => {
                        self.link(path, &place, first.as_bstr())?;
                        // The contents come with any of the names, and the last has the last word
                        // on all else.
                        open_again(&place, entry.header.filesize > 0)?
                    }
                    None => self.make_file(path, &place)?,
                };
                copy(contents, &file)?;
                attributes.set_open(&file)?;
            }
            (_, Some(first)) => self.link(path, &place, first.as_bstr())?,
            (_, None) => {
                self.make_node(path, &place, file_type, entry)?;
                attributes.set_node(&place)?;
            }
        }
        Ok(())
    }

    /// The name that came before `path`, if `path` is not the first.
    fn first_name(&mut self, link: Link, path: &BStr) -> Option<BString> {
        match self.links.entry(link) {
            hash_map::Entry::Occupied(first) => Some(first.get().clone()),
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(path.to_owned());
                None
            }
        }
    }

    fn directory(
        &mut self,
        path: &BStr,
        place: &Place,
        attributes: Attributes,
    ) -> Result<(), Failure> {
        let present = place.stat()?;
        if !present.is_some_and(|stat| type_of(&stat) == fs::FileType::Directory) {
            self.clear(path, place, present)?;
            fs::mkdirat(&place.directory, place.name, DIRECTORY_MODE)?;
        }
        self.directories
            .entry(path.to_owned())
            // Linux sets the times of directories last, and that of the first entry the last of all.
            .and_modify(|present| {
                *present = Attributes {
                    mtime: present.mtime,
                    ..attributes
                }
            })
            .or_insert(attributes);
        Ok(())
    }

    /// An empty file.
    fn make_file(&mut self, path: &BStr, place: &Place) -> Result<File, Failure> {
        let present = place.stat()?;
        // As in Linux, it is the same file then, and has the same names.
        if present.is_some_and(|stat| type_of(&stat) == fs::FileType::RegularFile) {
            return open_again(place, true);
        }
        self.clear(path, place, present)?;
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(fs::openat(&place.directory, place.name, flags, FILE_MODE)?.into())
    }

    /// A device, a FIFO or a socket.
    fn make_node(
        &mut self,
        path: &BStr,
        place: &Place,
        file_type: FileType,
        entry: &Entry,
    ) -> Result<(), Failure> {
        let file_type = match file_type {
            FileType::CharDevice => fs::FileType::CharacterDevice,
            FileType::BlockDevice => fs::FileType::BlockDevice,
            FileType::Fifo => fs::FileType::Fifo,
            _ => fs::FileType::Socket,
        };
        let present = place.stat()?;
        // Linux leaves it, which for a device means that it keeps its number.
        if present.is_some_and(|stat| type_of(&stat) == file_type) {
            return Ok(());
        }
        self.clear(path, place, present)?;
        let (major, minor) = (entry.header.rdevmajor, entry.header.rdevminor);
        if Device::new(major, minor).is_none() {
            let reason = format!("is the device {major}:{minor}, which Linux would cut off");
            return Err(Failure::entry(reason));
        }
        let device = fs::makedev(major, minor);
        let name = place.name;
        fs::mknodat(&place.directory, name, file_type, FILE_MODE, device).map_err(|errno| {
            match errno {
                Errno::PERM => Failure::entry(format!(
                    "is a device, {major}:{minor}, which only root can make"
                )),
                errno => errno.into(),
            }
        })
    }

    /// One more name for what is at `first`.
    fn link(&mut self, path: &BStr, place: &Place, first: &BStr) -> Result<(), Failure> {
        let lost = |what| {
            let first = escape(first);
            Failure::entry(format!(
                "Linux drops it: {first}, of which it is a hard link, {what}"
            ))
        };
        if path == first {
            return Err(lost("is itself"));
        }
        self.clear(path, place, place.stat()?)?;
        let first = self.confined.find(first).map_err(|failure| match failure {
            Failure::Entry(_) => lost("is not there"),
            failure => failure,
        })?;
        match first.stat()?.map(|stat| type_of(&stat)) {
            None => return Err(lost("is not there")),
            Some(fs::FileType::Symlink | fs::FileType::Directory) => {
                return Err(lost("is something else by now"));
            }
            Some(_) => {}
        }
        // Without flags, it does not follow a symbolic link.
        let flags = AtFlags::empty();
        fs::linkat(
            &first.directory,
            first.name,
            &place.directory,
            place.name,
            flags,
        )?;
        Ok(())
    }

    /// Removes what is in the way of something that cannot be written over it.
    fn clear(&mut self, path: &BStr, place: &Place, present: Option<Stat>) -> Result<(), Failure> {
        let Some(stat) = present else { return Ok(()) };
        let is_directory = type_of(&stat) == fs::FileType::Directory;
        let flags = match is_directory {
            true => AtFlags::REMOVEDIR,
            false => AtFlags::empty(),
        };
        match fs::unlinkat(&place.directory, place.name, flags) {
            Err(Errno::NOTEMPTY) => {
                let reason = "Linux drops it: there is a directory that is not empty";
                return Err(Failure::entry(reason));
            }
            result => result?,
        }
        if is_directory {
            self.directories.remove(path);
            self.confined.forget();
        }
        Ok(())
    }

    /// Gives the directories what they are to have, each after those that are in it.
    pub fn finish(&mut self, report: Report) -> Result<(), Error> {
        while let Some((path, attributes)) = self.directories.pop_last() {
            let result = if path == "/" {
                attributes.set_open(self.confined.top())
            } else {
                let place = self.confined.find(path.as_bstr());
                let directory = place.and_then(|place| open_directory(&place));
                directory.and_then(|directory| attributes.set_open(directory))
            };
            if let Err(failure) = result {
                report(path.as_bstr(), failure)?;
            }
        }
        Ok(())
    }
}

fn open_directory(place: &Place) -> Result<OwnedFd, Failure> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(fs::openat(
        &place.directory,
        place.name,
        flags,
        Mode::empty(),
    )?)
}

/// A file that was extracted before, to be written to.
fn open_again(place: &Place, truncate: bool) -> Result<File, Failure> {
    let mut flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    flags.set(OFlags::TRUNC, truncate);
    let open = || fs::openat(&place.directory, place.name, flags, Mode::empty());
    let file = match open() {
        // Its mode may be one that does not even let its owner write.
        Err(Errno::ACCESS) => {
            place.change_mode(FILE_MODE)?;
            open()?
        }
        result => result?,
    };
    Ok(file.into())
}

fn copy(mut contents: Contents<impl Read>, mut file: &File) -> Result<(), Failure> {
    loop {
        let bytes = contents.fill_buf().map_err(Failure::Image)?;
        if bytes.is_empty() {
            return Ok(());
        }
        file.write_all(bytes)
            .map_err(|error| Failure::Os(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
        let written = bytes.len();
        contents.consume(written);
    }
}
