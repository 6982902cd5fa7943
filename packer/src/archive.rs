//! Writing archives in the "newc" format of cpio.
//!
//! The format is described in the kernel's documentation,
//! `Documentation/driver-api/early-userspace/buffer-format.rst`, and read by `init/initramfs.c`.
//! Each entry is a header of hexadecimal numbers, the path and the contents, each padded with NULs
//! to a multiple of 4 bytes; an entry named `TRAILER!!!` is the last.
//!
//! What a header says comes from the [`Tree`] alone. In particular, it has
//! - inode numbers counting from 1 in the archive's order. The kernel uses them only to find hard
//!   links, of which there are none here;
//! - a link count of 2 for directories and 1 for everything else, however many there are;
//! - owner, group and the device that holds the file all 0.

use crate::{Entry, Error, Kind, Tree};
use cpio::newc;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

/// The size of an archive is a multiple of this: cpio's own block size, which tools expect.
const BLOCK: usize = 512;

/// Writes all of `tree` with all times `mtime`, in seconds since 1970, and returns `out`, which is
/// not flushed.
///
/// # Errors
/// [`Error::At`] if the source of a file is not a regular file, cannot be read, is 4 GiB or larger,
/// or changes its size meanwhile; [`Error::Output`] if writing to `out` fails.
pub fn write<W: Write>(tree: &Tree, mtime: u32, out: W) -> Result<W, Error> {
    let mut out = Output {
        inner: out,
        size: 0,
    };
    for ((path, entry), ino) in tree.entries().zip(1..) {
        write_entry(path, entry, ino, mtime, &mut out)?;
    }
    newc::trailer(&mut out).map_err(Error::Output)?;
    let padding = out.size.next_multiple_of(BLOCK) - out.size;
    out.write_all(&[0; BLOCK][..padding])
        .map_err(Error::Output)?;
    Ok(out.inner)
}

fn write_entry(
    path: &str,
    entry: &Entry,
    ino: u32,
    mtime: u32,
    out: &mut impl Write,
) -> Result<(), Error> {
    let header = |usual_mode: u32| {
        newc::Builder::new(path)
            .ino(ino)
            .mode(entry.kind.type_bits() | entry.mode.unwrap_or(usual_mode))
            .nlink(1)
            .mtime(mtime)
    };
    match &entry.kind {
        Kind::Directory => write_body(header(0o755).nlink(2), b"", out),
        Kind::Symlink { target } => write_body(header(0o777), target.as_bytes(), out),
        Kind::CharDevice(device) | Kind::BlockDevice(device) => {
            let header = header(0o600)
                .rdev_major(device.major())
                .rdev_minor(device.minor());
            write_body(header, b"", out)
        }
        Kind::File { source } => {
            let (file, metadata) = open(source)?;
            let size = u32::try_from(metadata.len()).map_err(|_| {
                let reason = format!("{} bytes are more than newc can hold", metadata.len());
                Error::at(source, reason)
            })?;
            let header = header(if is_executable(&metadata) {
                0o755
            } else {
                0o644
            });
            let mut body = header.write(out, size);
            copy_exactly(file, size, source, &mut body)?;
            body.finish().map(drop).map_err(Error::Output)
        }
    }
}

fn write_body(header: newc::Builder, body: &[u8], out: &mut impl Write) -> Result<(), Error> {
    let write = || {
        let mut writer = header.write(out, body.len() as u32);
        writer.write_all(body)?;
        writer.finish().map(drop)
    };
    write().map_err(Error::Output)
}

fn open(source: &Path) -> Result<(File, fs::Metadata), Error> {
    // Asked before opening: to open a FIFO is to wait for somebody to write to it.
    let metadata = fs::metadata(source).map_err(|e| Error::at(source, e))?;
    if metadata.is_dir() {
        return Err(Error::at(source, "is a directory, not a file"));
    }
    if !metadata.is_file() {
        return Err(Error::at(source, "is not a regular file"));
    }
    let file = File::open(source).map_err(|e| Error::at(source, e))?;
    let metadata = file.metadata().map_err(|e| Error::at(source, e))?;
    Ok((file, metadata))
}

fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o100 != 0
}

/// Copies `size` bytes and makes sure that there were no fewer and are no more: the header that says
/// `size` is already written, and a body of another length would garble all that follows.
fn copy_exactly(
    mut from: impl Read,
    size: u32,
    source: &Path,
    to: &mut impl Write,
) -> Result<(), Error> {
    let mut buffer = vec![0; 1 << 16];
    let mut left = u64::from(size);
    loop {
        let read = match from.read(&mut buffer) {
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(Error::at(source, e)),
        };
        let grew = read as u64 > left;
        let shrank = read == 0 && left > 0;
        if grew || shrank {
            let than = if grew { "more" } else { "fewer" };
            let reason = format!("has {than} than the {size} bytes of a moment ago");
            return Err(Error::at(source, reason));
        }
        if read == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..read]).map_err(Error::Output)?;
        left -= read as u64;
    }
}

/// Counts what is written, and does not flush: `cpio` asks for that after every entry that needs
/// padding, and a compressor would have to end its block each time.
struct Output<W> {
    inner: W,
    size: usize,
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.size += written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_tree_is_a_trailer() {
        let bytes = write(&Tree::new(), 7, Vec::new()).unwrap();
        assert_eq!(bytes.len(), BLOCK);
        assert_eq!(bytes[110..120], *b"TRAILER!!!");
    }

    #[test]
    fn a_source_may_not_change_its_size() {
        let copy = |size| {
            let mut to = Vec::new();
            copy_exactly(&b"four"[..], size, Path::new("f"), &mut to).map(|()| to)
        };
        assert_eq!(copy(4).unwrap(), b"four");
        let error = copy(3).unwrap_err().to_string();
        assert_eq!(error, "f: has more than the 3 bytes of a moment ago");
        let error = copy(5).unwrap_err().to_string();
        assert_eq!(error, "f: has fewer than the 5 bytes of a moment ago");
    }

    #[test]
    fn an_output_that_fails_is_not_blamed_on_the_input() {
        let mut tree = Tree::new();
        tree.insert("/d", Entry::PARENT).unwrap();
        let mut room = [0; 100];
        assert!(matches!(
            write(&tree, 0, &mut room[..]),
            Err(Error::Output(_))
        ));
    }

    #[test]
    fn a_compressor_is_left_to_work() {
        struct Compressor;
        impl Write for Compressor {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                panic!("every flush ends a block, which costs bytes")
            }
        }
        let mut tree = Tree::new();
        let target = "padded".into();
        let kind = Kind::Symlink { target };
        tree.insert("/l", Entry { mode: None, kind }).unwrap();
        write(&tree, 0, Compressor).unwrap();
    }
}
