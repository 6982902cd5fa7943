//! Finds the entries of an image that Linux does not unpack unchanged.
//!
//! ```
//! use packer::{Entry, Kind, Tree, archive, verify};
//! # let mut tree = Tree::new();
//! # tree.insert("/etc/hostname", Entry::new(Kind::Contents { bytes: b"guest\n".to_vec() }))?;
//! # let image = archive::write(&tree, 0, Vec::new())?;
//!
//! assert_eq!(verify::verify(&image[..], None)?.problems, [""; 0]);
//! let report = verify::verify(&image[..300], None)?;
//! assert!(report.problems[0].contains("cut off"));
//! # Ok::<(), packer::Error>(())
//! ```

use crate::bootable::{self, Collection, Conditions, Contents, Finding};
use crate::early::Early;
use crate::entry::Device;
use crate::manifest::build::ManifestBuilder;
use crate::manifest::{ManifestEntry, ManifestKind};
use crate::paths::{PATH_MAX, absolute};
use crate::reader::{CpioEntry, FileType, Hashed, Item, Link, Reader};
use crate::rootfs::Rootfs;
use crate::{Error, Manifest, diff, escape::escape};
use bstr::ByteSlice;
use std::collections::HashMap;
use std::io::Read;

/// The result of [`verify`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The problems, a line each, without a newline. A problem of an entry begins with the entry's path.
    pub problems: Vec<String>,
    /// What stops a boot. Only [`verify_boot`] looks for it, and only if the image is not damaged.
    pub findings: Vec<Finding>,
    /// The number of entries, without trailers.
    pub entries: usize,
    /// The number of archives.
    pub archives: usize,
    /// The size of the image in bytes.
    pub size: u64,
}

/// Reads an image to its end, or to the first damage, and reports everything that Linux would not unpack
/// as it is in the image. Linux itself reports few of these problems. If there is a `manifest`, also
/// reports how the image differs from it.
///
/// # Errors
/// [`Error::Input`] if the image cannot be read. A damaged image is a problem, not an error.
pub fn verify(image: impl Read, manifest: Option<&Manifest>) -> Result<Report, Error> {
    inspect(image, manifest, None)
}

/// As [`verify`], and looks for everything that stops a boot: [`bootable`].
///
/// # Errors
/// Those of [`verify`].
pub fn verify_boot(
    image: impl Read,
    manifest: Option<&Manifest>,
    conditions: &Conditions,
) -> Result<Report, Error> {
    inspect(image, manifest, Some(conditions))
}

fn inspect(
    image: impl Read,
    manifest: Option<&Manifest>,
    conditions: Option<&Conditions>,
) -> Result<Report, Error> {
    let mut reader = match manifest {
        Some(_) => Reader::with_hashes(image),
        None => Reader::new(image),
    };
    let mut found = manifest.map(|_| ManifestBuilder::default());
    let mut inspection = Inspection {
        collection: conditions.map(Collection::new),
        ..Inspection::default()
    };
    match inspection.read(&mut reader, found.as_mut()) {
        Ok(()) => {}
        Err(Error::Input(error)) if error.raw_os_error().is_none() => {
            inspection.report.problems.push(error.to_string());
            return Ok(inspection.report);
        }
        Err(error) => return Err(error),
    }
    let mut report = inspection.report;
    report.size = reader.image().map_or(0, |image| image.size);
    if let (Some(conditions), Some(mut collection)) = (conditions, inspection.collection) {
        collection.packed = report.size;
        report.findings = bootable::check(&inspection.rootfs, &collection, conditions);
    }
    if let (Some(expected), Some(found)) = (manifest, found) {
        let found = found.into_manifest(reader.image());
        let names = ["the manifest", "the image"];
        report
            .problems
            .extend(diff::compare(expected, &found, names));
    }
    Ok(report)
}

#[derive(Default)]
struct Inspection {
    report: Report,
    rootfs: Rootfs,
    /// The files with several names in the current archive. The values are in boxes because a hash table
    /// allocates many more places than it has values.
    links: HashMap<Link, Box<SeenNames>>,
    /// Whether a compressed member has begun. The early loader stops there.
    is_compressed: bool,
    /// What the checks of a boot need.
    collection: Option<Collection>,
}

/// The names read so far of a file with several names.
struct SeenNames {
    first: ManifestEntry,
    /// How many names have been read.
    count: u32,
    /// How many names the file has, according to the headers.
    claimed: u32,
    /// Size and hash of the last contents. `None` as long as no name had contents.
    contents: Option<(u64, String)>,
}

impl Inspection {
    /// Inspects every entry. Adds each to `builder`, if there is one.
    fn read<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        mut builder: Option<&mut ManifestBuilder>,
    ) -> Result<(), Error> {
        while let Some(item) = reader.next_item()? {
            match item {
                Item::Archive(archive) => {
                    self.report.archives += 1;
                    self.missing_names();
                    if let Some(collection) = &mut self.collection {
                        collection.end_archive(&archive);
                    }
                    if let Some(builder) = &mut builder {
                        builder.end(&archive);
                    }
                }
                Item::Entry(entry) => {
                    if self.collection.as_ref().is_some_and(Collection::is_full) {
                        self.collection = None;
                        return Ok(());
                    }
                    self.report.entries += 1;
                    self.is_compressed |= entry.position.member.is_some();
                    let mut unpacked = ManifestEntry::of(&entry);
                    let mut contents = None;
                    if let Some(unpacked) = &mut unpacked {
                        let is_hashed = builder.is_some() || entry.link().is_some();
                        contents = self.contents(reader, unpacked, is_hashed)?;
                        if let Some(builder) = &mut builder {
                            builder.add(&entry, unpacked.clone());
                        }
                    }
                    self.inspect(&entry, unpacked, contents);
                }
            }
        }
        Ok(())
    }

    /// Reads the contents of a file, for its hash and for the checks of a boot.
    fn contents<R: Read>(
        &self,
        reader: &mut Reader<R>,
        unpacked: &mut ManifestEntry,
        is_hashed: bool,
    ) -> Result<Option<Contents>, Error> {
        let ManifestKind::File { size, sha256, .. } = &mut unpacked.kind else {
            return Ok(None);
        };
        let is_needed = self.collection.is_some() && *size > 0;
        if !is_hashed {
            let contents =
                is_needed.then(|| Contents::read(&unpacked.path, *size, reader.contents()));
            return contents.transpose().map_err(Error::Input);
        }
        let mut file = Hashed::new(reader.contents());
        let contents = is_needed.then(|| Contents::read(&unpacked.path, *size, &mut file));
        let contents = contents.transpose().map_err(Error::Input)?;
        *sha256 = file.sha256().map_err(Error::Input)?;
        Ok(contents)
    }

    /// Inspects an entry. `unpacked` is the same entry as Linux unpacks it, or `None` if Linux skips it.
    fn inspect(
        &mut self,
        entry: &CpioEntry,
        unpacked: Option<ManifestEntry>,
        contents: Option<Contents>,
    ) {
        let mut problems = headers(entry);
        if let Some(mut unpacked) = unpacked {
            problems.extend(self.other_names(entry, &mut unpacked));
            let lost = self.rootfs.unpack(&unpacked).err();
            let early = self.early(entry);
            if let Some(collection) = &mut self.collection {
                collection.add(&unpacked, contents, early, &self.rootfs);
            }
            problems.extend(lost.filter(|_| early.is_none()));
        }
        let path = label(entry);
        let lines = problems
            .into_iter()
            .map(|problem| format!("{path}: {problem}"));
        self.report.problems.extend(lines);
    }

    /// What the early loader reads in the entry. Then it does not matter whether Linux unpacks it: the early loader
    /// compares paths byte by byte, so it needs no directories.
    fn early(&self, entry: &CpioEntry) -> Option<Early> {
        let is_file = entry.file_type() == Some(FileType::File);
        Early::of(&entry.path).filter(|_| is_file && !self.is_compressed)
    }

    /// Compares an entry with the earlier names of the same file, and makes `unpacked` a hard link of the
    /// first name.
    fn other_names(&mut self, entry: &CpioEntry, unpacked: &mut ManifestEntry) -> Vec<String> {
        let Some(link) = entry.link() else {
            return Vec::new();
        };
        if matches!(
            unpacked.kind,
            ManifestKind::Directory | ManifestKind::Symlink { .. }
        ) {
            return Vec::new();
        }
        // To save memory, store the hash once and not with each name.
        let hash = match &mut unpacked.kind {
            ManifestKind::File { sha256, .. } => std::mem::take(sha256),
            _ => String::new(),
        };
        let names = self.links.entry(link).or_insert_with(|| {
            Box::new(SeenNames {
                first: unpacked.clone(),
                count: 0,
                claimed: 0,
                contents: None,
            })
        });
        names.count += 1;
        names.claimed = names.claimed.max(entry.header.nlink);
        let metadata = |entry: &ManifestEntry| (entry.mode, entry.uid, entry.gid, entry.mtime);
        let first = escape(&names.first.path);
        let is_same = metadata(unpacked) == metadata(&names.first);
        let ManifestKind::File {
            size, hard_link_to, ..
        } = &mut unpacked.kind
        else {
            // Linux makes the link and ignores the rest of the entry.
            let is_same = is_same && unpacked.kind == names.first.kind;
            let problem = format!(
                "is not the same as {first}, of which it is a hard link: the first one counts"
            );
            return (!is_same).then_some(problem).into_iter().collect();
        };
        let mut problems = Vec::new();
        if !is_same {
            problems.push(format!(
                "has another mode, owner or mtime than {first}, of which it is a hard link: the last \
                 one counts"
            ));
        }
        let contents = (*size > 0).then_some((*size, hash));
        if contents.is_some() && names.contents.is_some() && contents != names.contents {
            problems.push(format!(
                "has other contents than {first}, of which it is a hard link: the last ones count"
            ));
        }
        names.contents = contents.or(names.contents.take());
        *hard_link_to = (names.count > 1).then(|| names.first.path.clone());
        problems
    }

    /// At the end of an archive, reports the files without contents of which names are missing. Missing
    /// names alone are no problem: if somebody packs some of the names of a file, cpio writes the contents
    /// with the last of them.
    fn missing_names(&mut self) {
        let links = self.links.drain().map(|(_, names)| names);
        let mut missing: Vec<_> = links
            .filter(|names| matches!(names.first.kind, ManifestKind::File { .. }))
            .filter(|names| names.count < names.claimed)
            .collect();
        missing.sort_by(|a, b| a.first.path.cmp(&b.first.path));
        if let Some(collection) = &mut self.collection {
            let names = missing.iter();
            let names = names.map(|names| (names.first.path.clone(), names.count, names.claimed));
            collection.lone_links.extend(names);
        }
        missing.retain(|names| names.contents.is_none());
        let lines = missing.into_iter().map(|names| {
            let (path, count, claimed) = (escape(&names.first.path), names.count, names.claimed);
            format!(
                "{path}: is empty, and the archive has only {count} of its {claimed} names: the contents may be \
                 missing with the other names"
            )
        });
        self.report.problems.extend(lines);
    }
}

/// The problems of an entry that do not depend on other entries.
fn headers(entry: &CpioEntry) -> Vec<String> {
    let header = &entry.header;
    let mut problems = Vec::new();
    if let Some(reason) = entry.skipped {
        problems.push(format!("Linux skips it: {reason}"));
    }
    if entry.path.split_str("/").any(|part| part == b"..") {
        problems.push("its path contains `..`".into());
    }
    if header.mode > 0o177777 {
        let mode = header.mode;
        problems.push(format!("its mode {mode:#o} is cut off to 16 bits"));
    }
    for (id, what) in [(header.uid, "user"), (header.gid, "group")] {
        if id == u32::MAX {
            problems.push(format!("belongs to root: {id} is not a {what}"));
        }
    }
    match entry.file_type() {
        Some(FileType::CharDevice | FileType::BlockDevice) => {
            let (major, minor) = (header.rdevmajor, header.rdevminor);
            if Device::new(major, minor).is_none() {
                // MKDEV() of the kernel's include/linux/kdev_t.h.
                let number = ((u64::from(major) << 20) | u64::from(minor)) as u32;
                let (actual, minor_actual) = (number >> 20, number & Device::MINOR_MAX);
                problems.push(format!(
                    "is the device {actual}:{minor_actual}, because {major}:{minor} is too large"
                ));
            }
        }
        Some(FileType::Symlink) if entry.skipped.is_none() && entry.target.is_empty() => {
            problems.push("is a symbolic link without a target".into());
        }
        Some(FileType::Symlink) if entry.target.len() >= PATH_MAX => {
            problems.push("its target is longer than 4095 bytes".into());
        }
        _ => {}
    }
    problems
}

/// The path of an entry as it appears in a report.
fn label(entry: &CpioEntry) -> String {
    const LONG: usize = 64;
    if entry.path.is_empty() {
        return "\"\"".into();
    }
    let path = absolute(&entry.path);
    match path.get(..LONG) {
        Some(start) if entry.path.len() == PATH_MAX => format!("{}...", escape(start)),
        _ => escape(&path).to_string(),
    }
}
