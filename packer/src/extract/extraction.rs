//! Extracts an image entry by entry.

use super::attributes::Attributes;
use super::confined::{Confined, Place, foreign};
use super::node::{Identity, Node};
use super::part::{Unselected, without_names};
use super::{ExtractOptions, Failure};
use crate::entry::Device;
use crate::paths::absolute;
use crate::pattern::Selection;
use crate::reader::{Contents, CpioEntry, Item, Link, Reader};
use crate::{Error, escape::escape};
use bstr::{BStr, BString, ByteSlice};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};
use rustix::io::{self, Errno};
use rustix::process::geteuid;
use std::collections::{BTreeMap, HashMap, hash_map};
use std::fs::File;
use std::io::{BufRead, Read, Write};
use std::os::fd::OwnedFd;

/// The modes of files and directories during the extraction.
const FILE_MODE: Mode = Mode::from_raw_mode(0o600);
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o700);

/// Called with each failure and the path of its entry. Returns an error to end the extraction.
pub(super) type OnFailure<'a> = &'a mut dyn FnMut(&BStr, Failure) -> Result<(), Error>;

pub(super) struct Extraction {
    pub confined: Confined,
    options: ExtractOptions,
    /// The first names of the files with several names in the current archive.
    pub links: HashMap<Link, BString>,
    /// The attributes that the directories get at the end.
    pub directories: BTreeMap<BString, Attributes>,
    /// What is needed of the entries that are not selected.
    pub unselected: Unselected,
    /// The entries so far, and the bytes of their contents.
    count: (u64, u64),
    /// The original mode of the top directory, if it was changed for the time of the extraction.
    closed: Option<Mode>,
}

impl Extraction {
    pub fn new(directory: OwnedFd, options: ExtractOptions) -> io::Result<Self> {
        Ok(Self {
            closed: close(&directory)?,
            confined: Confined::new(directory),
            options,
            links: HashMap::new(),
            directories: BTreeMap::new(),
            unselected: Unselected::default(),
            count: (0, 0),
        })
    }

    pub fn run(
        &mut self,
        image: impl Read,
        selection: &mut Selection,
        report: OnFailure,
    ) -> Result<(), Error> {
        let mut reader = Reader::new(image);
        while let Some(item) = reader.next_item()? {
            match item {
                Item::Archive(_) => {
                    self.links.clear();
                    self.unselected.end_archive();
                }
                Item::Entry(entry) => {
                    let whole = absolute(&entry.path);
                    self.count(&entry).map_err(|reason| {
                        let (position, path) = (entry.position, escape(&whole));
                        let reason = format!("{position}: {path}: {reason}");
                        Error::Input(std::io::Error::other(reason))
                    })?;
                    let path = without_names(whole.as_bstr(), self.options.strip_components);
                    let (is_selected, contents) = (selection.selects(&whole), reader.contents());
                    let result = match path {
                        None => self.stripped(&entry, contents),
                        Some(path) if is_selected => self
                            .make_parents(path)
                            .and_then(|()| self.entry(&entry, path, contents)),
                        Some(path) => self.unselected(&entry, path, contents),
                    };
                    if let Err(failure) = result {
                        report(whole.as_bstr(), failure)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Counts an entry. Fails if there are too many, before anything of this one is written.
    fn count(&mut self, entry: &CpioEntry) -> Result<(), String> {
        let (entries, size) = &mut self.count;
        *entries += 1;
        *size += u64::from(entry.header.filesize);
        for (found, max, what) in [
            (*entries, self.options.entries_max, "entries"),
            (*size, self.options.size_max, "bytes of contents"),
        ] {
            if let Some(max) = max.filter(|&max| found > max) {
                return Err(format!(
                    "with it, the image has {found} {what}, and {max} are allowed; the rest is not extracted"
                ));
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        entry: &CpioEntry,
        path: &BStr,
        contents: Contents<impl Read>,
    ) -> Result<(), Failure> {
        if let Some(reason) = entry.skipped {
            return Err(Failure::entry(format!("Linux skips it: {reason}")));
        }
        let file_type = FileType::from_raw_mode(entry.header.mode);
        if is_device(file_type) && self.options.skip_devices {
            return Ok(());
        }
        if let Some(announce) = self.options.announce {
            announce(path);
        }
        let attributes = Attributes::new(&entry.header);
        if path == "/" {
            self.set_in_the_end(path, attributes);
            return Ok(());
        }
        let first = match file_type {
            FileType::Directory | FileType::Symlink => None,
            _ => entry.link().and_then(|link| self.first_name(link, path)),
        };
        let place = self.confined.find(path)?;
        let present = self.confined.node(&place)?;
        match (file_type, first) {
            (FileType::Directory, _) => self.directory(&place, present, attributes)?,
            (FileType::Symlink, _) => {
                self.clear(&place, present)?;
                fs::symlinkat(entry.target.as_slice(), &place.directory, place.name)?;
                let node = self.confined.add_new(&place, FileType::Symlink)?;
                attributes.set_node(&node)?;
            }
            (FileType::RegularFile, first) => {
                let file = match first {
                    Some(first) => {
                        let node = self.link(&place, present, first.as_bstr(), file_type)?;
                        // Any of the names can have the contents. The attributes of the last name
                        // count.
                        open_again(&node, entry.header.filesize > 0)?
                    }
                    None => {
                        let file = self.file(&place, present, entry.link().is_some())?;
                        if let (Some(link), 0) = (entry.link(), entry.header.filesize) {
                            self.unselected.copy(link, &file)?;
                        }
                        file
                    }
                };
                copy(contents, &file)?;
                attributes.set_open(&file)?;
            }
            (_, Some(first)) => {
                self.link(&place, present, first.as_bstr(), file_type)?;
            }
            (_, None) => {
                let node = self.special_file(&place, present, file_type, entry)?;
                attributes.set_node(&node)?;
            }
        }
        Ok(())
    }

    /// The first name of a file with several names. `None` if `path` is the first.
    fn first_name(&mut self, link: Link, path: &BStr) -> Option<BString> {
        match self.links.entry(link) {
            hash_map::Entry::Occupied(first) => Some(first.get().clone()),
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(path.to_owned());
                None
            }
        }
    }

    pub fn directory(
        &mut self,
        place: &Place,
        present: Option<Node>,
        attributes: Attributes,
    ) -> Result<(), Failure> {
        if !present.as_ref().is_some_and(is_directory) {
            self.clear(place, present)?;
            fs::mkdirat(&place.directory, place.name, DIRECTORY_MODE)?;
            let node = self.confined.add_new(place, FileType::Directory)?;
            // The umask may have removed bits that its owner needs.
            if !node.mode().contains(DIRECTORY_MODE) {
                node.change_mode(DIRECTORY_MODE)?;
            }
        }
        self.set_in_the_end(place.path, attributes);
        Ok(())
    }

    pub fn set_in_the_end(&mut self, directory: &BStr, attributes: Attributes) {
        self.directories
            .entry(directory.to_owned())
            .and_modify(|present| *present = present.then(attributes))
            .or_insert(attributes);
    }

    /// Makes and opens an empty file, or empties the file that is there.
    fn file(
        &mut self,
        place: &Place,
        present: Option<Node>,
        has_names: bool,
    ) -> Result<File, Failure> {
        let present = match present {
            // As in Linux, the file stays the same and keeps its other names. A file without other names may as well be
            // another one, with the same owner.
            Some(node)
                if node.file_type() == FileType::RegularFile
                    && self.confined.is_recorded(place, &node) =>
            {
                return open_again(&node, true);
            }
            present => present,
        };
        let is_file = |node: &&Node| node.file_type() == FileType::RegularFile;
        let owner = present.as_ref().filter(is_file).map(Node::owner);
        self.clear(place, present)?;
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = fs::openat(&place.directory, place.name, flags, FILE_MODE)?;
        if let Some((user, group)) = owner.filter(|_| geteuid().is_root()) {
            fs::fchown(&file, Some(user), Some(group))?;
        }
        self.confined.add(place, Identity::of(&file)?, has_names);
        Ok(file.into())
    }

    /// Makes a device, a FIFO or a socket.
    fn special_file(
        &mut self,
        place: &Place,
        present: Option<Node>,
        file_type: FileType,
        entry: &CpioEntry,
    ) -> Result<Node, Failure> {
        let present = match present {
            // Linux leaves it as it is. A device keeps its number.
            Some(node) if node.file_type() == file_type => return Ok(node),
            present => present,
        };
        self.clear(place, present)?;
        // For other types, the device number has no meaning.
        let (major, minor) = match is_device(file_type) {
            true => (entry.header.rdevmajor, entry.header.rdevminor),
            false => (0, 0),
        };
        if Device::new(major, minor).is_none() {
            let reason = format!("is the device {major}:{minor}, which Linux would cut off");
            return Err(Failure::entry(reason));
        }
        let device = fs::makedev(major, minor);
        let name = place.name;
        fs::mknodat(&place.directory, name, file_type, FILE_MODE, device).map_err(|errno| {
            match errno {
                Errno::PERM if is_device(file_type) => Failure::entry(format!(
                    "is a device, {major}:{minor}, which only root can make"
                )),
                errno => errno.into(),
            }
        })?;
        self.confined.add_new(place, file_type)
    }

    /// Makes a hard link to the file at `first`, which must be of the type `file_type`.
    fn link(
        &mut self,
        place: &Place,
        present: Option<Node>,
        first: &BStr,
        file_type: FileType,
    ) -> Result<Node, Failure> {
        let lost = |what| {
            let first = escape(first);
            Failure::entry(format!(
                "Linux drops it: it is a hard link of {first}, which {what}"
            ))
        };
        if place.path == first {
            return Err(lost("is the entry itself"));
        }
        self.clear(place, present)?;
        let first = self.confined.find(first).map_err(|failure| match failure {
            Failure::Entry(_) => lost("is not there"),
            failure => failure,
        })?;
        let node = self
            .confined
            .node(&first)?
            .ok_or_else(|| lost("is not there"))?;
        if node.file_type() != file_type {
            let (first, what) = (escape(first.path), node.type_name());
            return Err(Failure::entry(format!(
                "is a hard link of {first}, which is a {what} by now, and is not extracted"
            )));
        }
        if !self.confined.is_recorded(&first, &node) {
            return Err(foreign(first.path));
        }
        node.link(place)?;
        self.confined.add(place, node.identity(), true);
        Ok(node)
    }

    /// Removes the file at a place, to make another one there.
    fn clear(&mut self, place: &Place, present: Option<Node>) -> Result<(), Failure> {
        let Some(node) = present else { return Ok(()) };
        let is_directory = is_directory(&node);
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
        self.confined.remove(place);
        self.directories.remove(place.path);
        Ok(())
    }

    /// Sets the attributes of the directories, of each after those in it. A failure for one does not affect
    /// the others.
    pub fn finish(mut self, report: &mut dyn FnMut(&BStr, Failure)) {
        while let Some((path, attributes)) = self.directories.pop_last() {
            let result = match &path[..] {
                b"/" => attributes.set_open(self.confined.top()),
                _ => self.finish_directory(path.as_bstr(), attributes),
            };
            if let Err(failure) = result {
                report(path.as_bstr(), failure);
            }
            self.closed.take_if(|_| path == "/");
        }
        if let Some(mode) = self.closed {
            if let Err(errno) = fs::fchmod(self.confined.top(), mode) {
                report(b"/".as_bstr(), errno.into());
            }
        }
    }

    fn finish_directory(&mut self, path: &BStr, attributes: Attributes) -> Result<(), Failure> {
        let place = self.confined.find(path)?;
        let node = self.confined.node(&place)?;
        let node = node.ok_or_else(|| Failure::entry("is not there any more"))?;
        attributes.set_open(node.open_directory()?)
    }
}

/// If root extracts, closes the directory to other users and returns its original mode. Otherwise another
/// user could open a file whose contents change later and that then gets set-user-ID.
fn close(directory: &OwnedFd) -> io::Result<Option<Mode>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let mode = Mode::from_raw_mode(fs::fstat(directory)?.st_mode);
    let others = Mode::RWXG | Mode::RWXO;
    match fs::fchmod(directory, (mode - others) | DIRECTORY_MODE) {
        // The file system has no modes, or does not let us change them.
        Err(Errno::PERM | Errno::OPNOTSUPP) => Ok(None),
        result => result.map(|()| Some(mode)),
    }
}

fn is_device(file_type: FileType) -> bool {
    matches!(file_type, FileType::CharacterDevice | FileType::BlockDevice)
}

fn is_directory(node: &Node) -> bool {
    node.file_type() == FileType::Directory
}

/// Opens an extracted file to write to it again.
pub(super) fn open_again(node: &Node, truncate: bool) -> Result<File, Failure> {
    // Its mode may forbid writing even to its owner. Or it may have set-user-ID, which incomplete or
    // different contents must not have. If this fails, opening the file gives the better error.
    let _ = node.change_mode(FILE_MODE);
    node.open_file(truncate)
}

pub(super) fn copy(mut contents: Contents<impl Read>, mut file: &File) -> Result<(), Failure> {
    loop {
        let bytes = contents.fill_buf().map_err(Failure::Image)?;
        if bytes.is_empty() {
            return Ok(());
        }
        file.write_all(bytes).map_err(Failure::os)?;
        let written = bytes.len();
        contents.consume(written);
    }
}
