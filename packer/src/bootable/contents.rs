//! What the checks need of the contents of the files. An image is read once, and its libraries may come before init.

use crate::program::elf::{self, Elf};
use crate::program::interpreter::System;
use crate::program::script;
use bstr::{BString, ByteSlice};
use std::io::{self, Read};
use std::rc::Rc;

/// The contents of a file that is not empty, as far as they are needed.
#[derive(Clone)]
pub(crate) enum Contents {
    /// A program or a library.
    Elf(Rc<Elf>),
    /// An ELF interpreter: a library that needs no other one.
    Interpreter(Rc<Elf>, Rc<System>),
    /// An ELF file that cannot be read, and why.
    Malformed(String),
    /// The start of a file that begins with `#!`.
    Script(Vec<u8>),
    /// A list of libraries or of their directories.
    Configuration(BString),
    /// The first bytes of another file.
    Other([u8; 4]),
    /// Too large to be examined.
    Large,
}

/// A larger file is not examined, to bound the memory.
const SIZE_MAX: u64 = 256 << 20;

/// Where `e_type` is in an ELF file, and its values for programs and libraries. A kernel module, for example, has
/// another one.
const TYPE: std::ops::Range<usize> = 16..18;
const LOADABLE: [u8; 2] = [2, 3];

impl Contents {
    /// Reads a file called `path` that has `size` bytes. Does not read all of most files.
    pub fn read(path: &[u8], size: u64, mut contents: impl Read) -> io::Result<Self> {
        let mut start = Vec::new();
        (&mut contents)
            .take(script::HEAD as u64)
            .read_to_end(&mut start)?;
        if start.starts_with(b"#!") {
            return Ok(Self::Script(start));
        }
        let is_configuration = path.ends_with(b"etc/ld.so.cache")
            || (path.contains_str("etc/ld-musl-") && path.ends_with(b".path"));
        let is_elf = start.starts_with(b"\x7fELF");
        if !is_elf && !is_configuration {
            let mut first = [0; 4];
            let known = start.len().min(first.len());
            first[..known].copy_from_slice(&start[..known]);
            return Ok(Self::Other(first));
        }
        if size > SIZE_MAX {
            return Ok(Self::Large);
        }
        let kind = start.get(TYPE).unwrap_or_default();
        let is_loadable = kind
            .iter()
            .all(|byte| *byte == 0 || LOADABLE.contains(byte));
        if is_elf && kind.len() == 2 && !is_loadable {
            let object = Elf::default();
            return Ok(Self::Elf(Rc::new(object)));
        }
        contents.read_to_end(&mut start)?;
        if is_configuration {
            return Ok(Self::Configuration(start.into()));
        }
        Ok(match elf::parse_bytes(&start) {
            Ok(elf) if elf.interpreter.is_none() && elf.needed.is_empty() => {
                Self::Interpreter(Rc::new(elf), Rc::new(System::of_glibc(&start)))
            }
            Ok(elf) => Self::Elf(Rc::new(elf)),
            Err(reason) => Self::Malformed(reason.to_string()),
        })
    }

    /// The ELF file.
    pub fn elf(&self) -> Option<&Rc<Elf>> {
        match self {
            Self::Elf(elf) | Self::Interpreter(elf, _) => Some(elf),
            _ => None,
        }
    }
}
