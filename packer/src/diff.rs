//! Describes the differences between two images.
//!
//! ```
//! use packer::{Entry, Kind, Manifest, Tree, archive, diff};
//!
//! let mut manifests = Vec::new();
//! for name in ["guest\n", "other\n"] {
//!     let mut tree = Tree::new();
//!     let bytes = name.as_bytes().to_vec();
//!     tree.insert("/hostname", Entry::new(Kind::Contents { bytes }))?;
//!     let image = archive::write(&tree, 0, Vec::new())?;
//!     manifests.push(Manifest::of_image(&image[..])?);
//! }
//! assert!(!diff::compare(&manifests[0], &manifests[1], ["a", "b"]).is_empty());
//! assert!(diff::compare(&manifests[0], &manifests[0], ["a", "b"]).is_empty());
//! # Ok::<(), packer::Error>(())
//! ```

use crate::Error;
use crate::escape::escape;
use crate::manifest::{Manifest, ManifestEntry, ManifestKind};
use crate::rootfs::Rootfs;
use bstr::BString;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{BufRead, BufReader, Read};

/// Reads an image or a manifest, which begins with `{`.
///
/// # Errors
/// Those of [`Manifest::of_image`] and [`Manifest::read_json`].
pub fn read(file: impl Read) -> Result<Manifest, Error> {
    let mut file = BufReader::new(file);
    match file.fill_buf().map_err(Error::Input)?.first() {
        Some(b'{') => Manifest::read_json(file),
        _ => Manifest::of_image(file),
    }
}

/// The differences between the images `a` and `b`, a line each, without a newline. There are none if the
/// images are the same, byte for byte. The text calls the images by their `names`.
///
/// First, this compares what Linux unpacks, entry by entry. An entry overrides earlier entries with the
/// same path. Only if there is no difference, it compares the images themselves.
///
/// The store paths of a manifest are ignored, because a manifest made by reading an image has none.
pub fn compare(a: &Manifest, b: &Manifest, names: [&str; 2]) -> Vec<String> {
    let differences = entries(unpacked(a), unpacked(b), names);
    match differences.is_empty() {
        true => images(a, b),
        false => differences,
    }
}

fn unpacked(manifest: &Manifest) -> Vec<ManifestEntry> {
    let mut rootfs = Rootfs::default();
    for entry in &manifest.entries {
        // `packer verify` reports what Linux does not unpack.
        let _ = rootfs.unpack(entry);
    }
    rootfs.into_entries()
}

/// Compares entries. `a` and `b` are sorted by path, without duplicates.
fn entries(a: Vec<ManifestEntry>, b: Vec<ManifestEntry>, names: [&str; 2]) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
    loop {
        let order = match (a.peek(), b.peek()) {
            (Some(a), Some(b)) => a.path.cmp(&b.path),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return lines,
        };
        let a = a.next_if(|_| order.is_le());
        let b = b.next_if(|_| order.is_ge());
        let only = |entry: &ManifestEntry, name| format!("{}: only in {name}", escape(&entry.path));
        match (a, b) {
            (Some(a), Some(b)) => lines.extend(entry(&a, &b, names)),
            (Some(a), None) => lines.push(only(&a, names[0])),
            (None, Some(b)) => lines.push(only(&b, names[1])),
            (None, None) => {}
        }
    }
}

/// Compares two entries with the same path.
fn entry(a: &ManifestEntry, b: &ManifestEntry, names: [&str; 2]) -> Option<String> {
    let [a_name, b_name] = names;
    let is = |a: &dyn Display, b: &dyn Display| format!("is a {a} in {a_name}, a {b} in {b_name}");
    let changes = if a.kind.file_type() == b.kind.file_type() {
        let mut changes = Vec::new();
        for ((what, a), (_, b)) in attributes(a).into_iter().zip(attributes(b)) {
            match what {
                _ if a == b => {}
                "contents" => changes.push("contents differ".into()),
                "names" => changes.push(is(&a, &b)),
                _ => changes.push(format!("{what} {a} -> {b}")),
            }
        }
        changes
    } else {
        vec![is(&a.kind.file_type().name(), &b.kind.file_type().name())]
    };
    let path = escape(&a.path);
    (!changes.is_empty()).then(|| format!("{path}: {}", changes.join(", ")))
}

/// The attributes of an entry with their names. Entries of the same type have the same names.
fn attributes(entry: &ManifestEntry) -> Vec<(&'static str, String)> {
    let mut attributes = match &entry.kind {
        ManifestKind::File {
            size,
            sha256,
            hard_link_to,
        } => {
            let names = match hard_link_to {
                Some(file) => format!("hard link of {}", escape(file)),
                None => "file of its own".into(),
            };
            vec![
                ("size", size.to_string()),
                ("contents", sha256.clone()),
                ("names", names),
            ]
        }
        ManifestKind::Symlink { target } => vec![("target", escape(target).to_string())],
        ManifestKind::CharDevice { major, minor } | ManifestKind::BlockDevice { major, minor } => {
            vec![("device", format!("{major}:{minor}"))]
        }
        ManifestKind::Directory | ManifestKind::Fifo | ManifestKind::Socket => Vec::new(),
    };
    attributes.push(("mode", format!("{:04o}", entry.mode)));
    attributes.push(("owner", format!("{}:{}", entry.uid, entry.gid)));
    attributes.push(("mtime", entry.mtime.to_string()));
    attributes
}

/// Compares two images from which Linux unpacks the same files.
fn images(a: &Manifest, b: &Manifest) -> Vec<String> {
    let mut lines = entries_without_effect(a, b);
    let has_same_entries = lines.is_empty();
    if a.archives.len() != b.archives.len() {
        lines.push(format!(
            "archives: {} -> {}",
            a.archives.len(),
            b.archives.len()
        ));
        return lines;
    }
    for (number, (a, b)) in a.archives.iter().zip(&b.archives).enumerate() {
        if a.compression != b.compression {
            let (a, b) = (&a.compression, &b.compression);
            lines.push(format!("archive {number}: compression {a} -> {b}"));
        }
        if a.hash != b.hash && has_same_entries {
            let size = size(a.size, b.size);
            lines.push(format!(
                "archive {number}: the same entries in other bytes{size}: inode numbers, link \
                 counts, checksums, or how paths are written or padded"
            ));
        }
    }
    if lines.is_empty() && (&a.image, &a.archives) != (&b.image, &b.archives) {
        let size = size(a.image.size, b.image.size);
        lines.push(format!(
            "image: the same archives in other bytes{size}: another compressor or level, or other \
             NULs between archives"
        ));
    }
    lines
}

/// Compares the entries that Linux overrides or drops, and the order and the archives of all entries.
fn entries_without_effect(a: &Manifest, b: &Manifest) -> Vec<String> {
    if a.entries == b.entries {
        return Vec::new();
    }
    let mut counts: BTreeMap<&BString, [usize; 2]> = BTreeMap::new();
    for (side, manifest) in [a, b].into_iter().enumerate() {
        for entry in &manifest.entries {
            counts.entry(&entry.path).or_default()[side] += 1;
        }
    }
    let mut lines: Vec<_> = counts
        .into_iter()
        .filter(|(_, [a, b])| a != b)
        .map(|(path, [a, b])| {
            let path = escape(path);
            format!("{path}: number of entries {a} -> {b}, with the same effect")
        })
        .collect();
    if lines.is_empty() {
        let differ = |(a, b): &(&ManifestEntry, &ManifestEntry)| a != b;
        let first = a.entries.iter().zip(&b.entries).find(differ);
        lines.extend(first.map(|(a, b)| {
            let (a_path, b_path) = (escape(&a.path), escape(&b.path));
            match a.path == b.path {
                true if a.archive != b.archive => {
                    format!("{a_path}: archive {} -> {}", a.archive, b.archive)
                }
                true => format!("{a_path}: overridden or dropped entries differ"),
                false => {
                    format!("entries: in another order, first difference {a_path} -> {b_path}")
                }
            }
        }));
    }
    lines
}

fn size(a: u64, b: u64) -> String {
    match a == b {
        true => String::new(),
        false => format!(", size {a} -> {b}"),
    }
}
