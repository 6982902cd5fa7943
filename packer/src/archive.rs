//! Writing archives.
//!
//! All fields of a header come from the [`Tree`], none from the file system:
//! - Inode numbers count from 1 in the order of the archive. All names of a file have the same number,
//!   by which the kernel finds hard links.
//! - The link count is 2 for a directory, the number of names in the archive for a file, and 1 for
//!   everything else.
//! - The device that holds the file is 0:0.
//!
//! As in archives made by cpio, the contents of a file with several names follow its last name.
//!
//! ```
//! use packer::{Entry, Kind, Tree, archive};
//!
//! let mut tree = Tree::new();
//! let bytes = b"guest\n".to_vec();
//! tree.insert("/etc/hostname", Entry::new(Kind::Contents { bytes }))?;
//! let image = archive::write(&tree, 0, Vec::new())?;
//! assert!(image.starts_with(b"070701"));
//! # Ok::<(), packer::Error>(())
//! ```

use crate::early;
use crate::escape::escape;
use crate::newc::{self, Header};
use crate::{Entry, Error, Kind, Tree, source};
use bstr::{BStr, ByteSlice};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::Path;

/// The size of an archive is a multiple of this: cpio's own block size, which tools expect.
pub(crate) const BLOCK: u64 = 512;

/// Writes `tree` to `out` and returns `out`, which is not flushed. Every entry without a time of its
/// own gets the time `mtime`, in seconds since 1970.
///
/// If `out` is a [`File`](std::fs::File) or a [`BufWriter`](io::BufWriter) of one, the kernel copies the
/// contents of files into it: copy_file_range(2).
///
/// # Errors
/// [`Error::At`] if the source of a file is not a regular file, cannot be read, is 4 GiB or larger, or
/// changes its size while it is copied; if a hard link does not lead to a file of the archive.
/// [`Error::Output`] if writing to `out` fails.
pub fn write<W: Write>(tree: &Tree, mtime: u32, out: W) -> Result<W, Error> {
    write_with_progress(tree, mtime, out, &mut |_| {})
}

/// As [`write()`], and calls `progress` with the size of each file that has been copied.
///
/// # Errors
/// Those of [`write()`].
pub fn write_with_progress<W: Write>(
    tree: &Tree,
    mtime: u32,
    out: W,
    progress: &mut dyn FnMut(u64),
) -> Result<W, Error> {
    let mut out = Output::new(out);
    let mut names = several_names(tree)?;
    let mut next_ino = 1;
    for (path, entry) in tree.entries() {
        let (entry, names) = match &entry.kind {
            Kind::HardLink { file } => {
                let entry = tree.get(file).expect("several_names() has seen it");
                (entry, names.get_mut(file.as_bstr()))
            }
            _ => (entry, names.get_mut(path)),
        };
        let mut header = Header {
            uid: entry.owner.uid,
            gid: entry.owner.gid,
            nlink: 1,
            mtime: entry.mtime.unwrap_or(mtime),
            ..Header::default()
        };
        let mut has_contents = true;
        let known_ino = names.as_ref().map_or(0, |names| names.ino);
        header.ino = if known_ino == 0 { next_ino } else { known_ino };
        next_ino += u32::from(known_ino == 0);
        if let Some(names) = names {
            names.ino = header.ino;
            names.left -= 1;
            header.nlink = names.count;
            has_contents = names.left == 0;
        }
        write_entry(path, entry, header, has_contents, &mut out, progress)?;
    }
    out.end()
}

/// A file with several names.
struct LinkedFile {
    /// The number of its names.
    count: u32,
    /// The number of names that are not written yet.
    left: u32,
    /// 0 until the first name is written.
    ino: u32,
}

/// The files of `tree` that have several names. The key is the path of the [`Kind::File`].
fn several_names(tree: &Tree) -> Result<HashMap<&BStr, LinkedFile>, Error> {
    let mut names = HashMap::new();
    for (path, entry) in tree.entries() {
        let Kind::HardLink { file } = &entry.kind else {
            continue;
        };
        if !matches!(tree.get(file), Some(entry) if matches!(entry.kind, Kind::File { .. })) {
            let reason = format!(
                "is a hard link to /{}, which is not a file of the archive",
                escape(file)
            );
            return Err(Error::entry(path, reason));
        }
        let names = names.entry(file.as_bstr()).or_insert(LinkedFile {
            count: 1,
            left: 1,
            ino: 0,
        });
        names.count += 1;
        names.left += 1;
    }
    Ok(names)
}

fn write_entry<W: Write>(
    path: &BStr,
    entry: &Entry,
    mut header: Header,
    has_contents: bool,
    out: &mut Output<W>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let mode = |usual| entry.kind.file_type().bits() | entry.mode.unwrap_or(usual);
    match &entry.kind {
        Kind::Directory => {
            header.nlink = 2;
            header.mode = mode(0o755);
            out.entry(path, header, b"")
        }
        Kind::Symlink { target } => {
            header.mode = mode(0o777);
            out.entry(path, header, target)
        }
        Kind::CharDevice(device) | Kind::BlockDevice(device) => {
            header.mode = mode(0o600);
            header.rdevmajor = device.major();
            header.rdevminor = device.minor();
            out.entry(path, header, b"")
        }
        Kind::Fifo | Kind::Socket => {
            header.mode = mode(0o600);
            out.entry(path, header, b"")
        }
        Kind::HardLink { .. } => unreachable!("stands for the file that it is a name of"),
        Kind::Contents { bytes } => {
            header.mode = mode(0o644);
            let size = newc_size(bytes.len() as u64);
            size.map_err(|reason| Error::entry(path, reason))?;
            out.entry(path, header, bytes)
        }
        Kind::File { source } => {
            let (file, metadata) = source::open(source)?;
            let size = newc_size(metadata.len()).map_err(|reason| Error::at(source, reason))?;
            header.mode = mode(source::usual_mode(&metadata));
            if !has_contents {
                return out.entry(path, header, b"");
            }
            header.filesize = size;
            out.header(path, header).map_err(Error::Output)?;
            copy_exactly(&file, size, source, out)?;
            out.pad(newc::ALIGN).map_err(Error::Output)?;
            progress(u64::from(size));
            Ok(())
        }
    }
}

/// The size of a file, as far as newc can express it.
pub(crate) fn newc_size(size: u64) -> Result<u32, String> {
    u32::try_from(size)
        .map_err(|_| format!("has {size} bytes, but newc can store at most {}", u32::MAX))
}

/// Copies `size` bytes. Fails if the source has fewer or more: the header with `size` is already
/// written, and contents of another length would corrupt the rest of the archive.
fn copy_exactly<W: Write>(
    mut from: impl Read,
    size: u32,
    source: &Path,
    out: &mut Output<W>,
) -> Result<(), Error> {
    let changed = |than| {
        let reason = format!(
            "has {than} bytes than its size, {size}; the file must not change while it is packed"
        );
        Err(Error::at(source, reason))
    };
    let size = u64::from(size);
    // io::copy uses copy_file_range(2) only if it sees the type of the inner writer.
    let copied = io::copy(&mut from.by_ref().take(size), &mut out.inner);
    let mut more = [0];
    // io::copy does not tell whether reading or writing failed. If the source fails, it fails again here.
    let read = from.read(&mut more);
    match (copied, read) {
        (_, Err(error)) => Err(Error::at(source, error)),
        (Err(error), Ok(_)) => Err(Error::Output(error)),
        (Ok(copied), Ok(_)) if copied < size => changed("fewer"),
        (Ok(_), Ok(1)) => changed("more"),
        (Ok(copied), Ok(_)) => {
            out.size += copied;
            Ok(())
        }
    }
}

/// The multiple at which microcode begins.
const MICROCODE_ALIGN: u64 = 16;

fn is_microcode(path: &BStr) -> bool {
    early::MICROCODE.iter().any(|name| path == name.as_bytes())
}

/// Counts the bytes written, to compute the padding.
pub(crate) struct Output<W> {
    inner: W,
    size: u64,
}

impl<W: Write> Output<W> {
    pub fn new(inner: W) -> Self {
        Self { inner, size: 0 }
    }

    /// Writes the trailer, and pads the archive. Returns the inner writer.
    pub fn end(mut self) -> Result<W, Error> {
        let trailer = Header {
            nlink: 1,
            ..Header::default()
        };
        self.entry(newc::TRAILER.as_bstr(), trailer, b"")?;
        self.pad(BLOCK).map_err(Error::Output)?;
        Ok(self.inner)
    }

    /// Writes a whole entry, whose contents are in memory.
    fn entry(&mut self, path: &BStr, header: Header, contents: &[u8]) -> Result<(), Error> {
        let header = Header {
            filesize: contents.len() as u32,
            ..header
        };
        self.header(path, header)
            .and_then(|()| self.bytes(contents))
            .and_then(|()| self.pad(newc::ALIGN))
            .map_err(Error::Output)
    }

    /// Writes the header and the path, with their padding.
    ///
    /// Linux gives the processor microcode where the boot loader has put it, and a processor of Intel takes it only at a
    /// multiple of 16. newc aligns to 4. So the path of microcode has more NULs at its end, which count as a part of it.
    pub fn header(&mut self, path: &BStr, header: Header) -> io::Result<()> {
        let end = self.size + newc::LEN as u64 + path.len() as u64 + 1;
        let padding = match is_microcode(path) {
            true => end.next_multiple_of(MICROCODE_ALIGN) - end,
            false => 0,
        };
        let header = Header {
            namesize: path.len() as u32 + 1 + padding as u32,
            ..header
        };
        self.bytes(&header.encode())?;
        self.bytes(path)?;
        self.bytes(&[0; MICROCODE_ALIGN as usize][..=padding as usize])?;
        self.pad(newc::ALIGN)
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.size += bytes.len() as u64;
        self.inner.write_all(bytes)
    }

    pub fn pad(&mut self, align: u64) -> io::Result<()> {
        let padding = self.size.next_multiple_of(align) - self.size;
        self.bytes(&[0; BLOCK as usize][..padding as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(target: &str) -> Entry {
        Entry::new(Kind::Symlink {
            target: target.into(),
        })
    }

    #[test]
    fn an_empty_tree_is_a_trailer() {
        let bytes = write(&Tree::new(), 7, Vec::new()).unwrap();
        assert_eq!(bytes.len() as u64, BLOCK);
        assert_eq!(bytes[110..120], *b"TRAILER!!!");
    }

    #[test]
    fn a_source_may_not_change_its_size() {
        let copy = |size| {
            let mut out = Output::new(Vec::new());
            copy_exactly(&b"four"[..], size, Path::new("f"), &mut out).map(|()| out.inner)
        };
        assert_eq!(copy(4).unwrap(), b"four");
        let error = copy(3).unwrap_err().to_string();
        assert_eq!(
            error,
            "f: has more bytes than its size, 3; the file must not change while it is packed"
        );
        let error = copy(5).unwrap_err().to_string();
        assert_eq!(
            error,
            "f: has fewer bytes than its size, 5; the file must not change while it is packed"
        );
    }

    #[test]
    fn an_input_that_fails_is_not_blamed_on_the_output() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let mut out = Output::new(Vec::new());
        let error = copy_exactly(Broken, 4, Path::new("f"), &mut out).unwrap_err();
        assert_eq!(error.to_string(), "f: broken");
    }

    #[test]
    fn an_output_that_fails_is_not_blamed_on_the_input() {
        let mut tree = Tree::new();
        tree.insert("/d", Entry::PARENT).unwrap();
        let mut room = [0; 100];
        let result = write(&tree, 0, &mut room[..]);
        assert!(matches!(result, Err(Error::Output(_))));

        let mut room = [0; 3];
        let mut out = Output::new(&mut room[..]);
        let result = copy_exactly(&b"four"[..], 4, Path::new("f"), &mut out);
        assert!(matches!(result, Err(Error::Output(_))));
    }

    #[test]
    fn a_compressor_is_left_to_work() {
        struct NoFlush;
        impl Write for NoFlush {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                panic!("every flush ends a block, which costs bytes")
            }
        }
        let mut tree = Tree::new();
        tree.insert("/l", link("padded")).unwrap();
        write(&tree, 0, NoFlush).unwrap();
    }

    #[test]
    fn a_hard_link_is_to_a_file() {
        for file in ["nothing", "l", "self"] {
            let mut tree = Tree::new();
            tree.insert("/l", link("x")).unwrap();
            let file = file.into();
            tree.insert("/self", Entry::new(Kind::HardLink { file }))
                .unwrap();
            let error = write(&tree, 0, Vec::new()).unwrap_err().to_string();
            assert!(
                error.ends_with("which is not a file of the archive"),
                "{error}"
            );
        }
    }
}
