//! Makes images by hand, following the kernel's buffer-format.rst.

#![allow(dead_code)] // No test uses everything.

use packer::Compression;
use std::io::Write;
use std::num::NonZero;

pub const FIFO: u32 = 0o010000;
pub const CHAR: u32 = 0o020000;
pub const DIR: u32 = 0o040000;
pub const BLOCK: u32 = 0o060000;
pub const FILE: u32 = 0o100000;
pub const LINK: u32 = 0o120000;
pub const SOCKET: u32 = 0o140000;

/// An entry.
#[derive(Clone, Debug)]
pub struct E {
    pub magic: &'static str,
    pub ino: u32,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub nlink: u32,
    pub mtime: u32,
    pub filesize: u32,
    pub rdev: (u32, u32),
    pub namesize: u32,
    pub check: u32,
    pub path: Vec<u8>,
    pub contents: Vec<u8>,
}

/// An entry with usual fields, of which a test changes some.
pub fn e(path: impl AsRef<[u8]>, mode: u32, contents: impl AsRef<[u8]>) -> E {
    let (path, contents) = (path.as_ref().to_vec(), contents.as_ref().to_vec());
    E {
        magic: "070701",
        ino: 0,
        mode,
        uid: 0,
        gid: 0,
        nlink: 1,
        mtime: 0,
        filesize: contents.len() as u32,
        rdev: (0, 0),
        namesize: path.len() as u32 + 1,
        check: 0,
        path,
        contents,
    }
}

pub fn dir(path: impl AsRef<[u8]>) -> E {
    e(path, DIR | 0o755, "")
}

pub fn file(path: impl AsRef<[u8]>, contents: impl AsRef<[u8]>) -> E {
    e(path, FILE | 0o644, contents)
}

/// An executable file.
pub fn program(path: impl AsRef<[u8]>, contents: impl AsRef<[u8]>) -> E {
    e(path, FILE | 0o755, contents)
}

pub fn symlink(path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> E {
    e(path, LINK | 0o777, target)
}

pub fn device(path: impl AsRef<[u8]>, mode: u32, rdev: (u32, u32)) -> E {
    E {
        rdev,
        ..e(path, mode, "")
    }
}

/// One of `nlink` names of a file.
pub fn name(path: impl AsRef<[u8]>, ino: u32, nlink: u32, contents: impl AsRef<[u8]>) -> E {
    E {
        ino,
        nlink,
        ..file(path, contents)
    }
}

impl E {
    pub fn bytes(&self) -> Vec<u8> {
        let fields = [
            self.ino,
            self.mode,
            self.uid,
            self.gid,
            self.nlink,
            self.mtime,
            self.filesize,
            0,
            0,
            self.rdev.0,
            self.rdev.1,
            self.namesize,
            self.check,
        ];
        let mut bytes = self.magic.as_bytes().to_vec();
        for field in fields {
            bytes.extend(format!("{field:08x}").bytes());
        }
        bytes.extend(&self.path);
        bytes.push(0);
        pad(&mut bytes, 4);
        bytes.extend(&self.contents);
        pad(&mut bytes, 4);
        bytes
    }
}

pub fn pad(bytes: &mut Vec<u8>, align: usize) {
    bytes.resize(bytes.len().next_multiple_of(align), 0);
}

/// The entries, and a trailer.
pub fn archive(entries: &[E]) -> Vec<u8> {
    let trailer = e("TRAILER!!!", 0, "");
    entries
        .iter()
        .chain([&trailer])
        .flat_map(E::bytes)
        .collect()
}

/// A member of an image.
pub fn compress(compression: &str, bytes: &[u8]) -> Vec<u8> {
    let compression: Compression = compression.parse().unwrap();
    let mut encoder = compression
        .encoder(NonZero::<usize>::MIN, Vec::new())
        .unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    compress("gzip", bytes)
}
