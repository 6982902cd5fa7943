//! What a module's file says about it: the section `.modinfo`, with strings `FIELD=VALUE` that end with a byte 0
//! (the kernel's include/linux/moduleparam.h).

use super::unpack;
use crate::error::Reason;
use bstr::{BString, ByteSlice};
use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, SectionHeader};
use object::{Endianness, FileKind, read};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The fields about other modules.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// The names of what it needs, with commas between them.
    pub depends: BString,
    /// Each `pre: NAME... post: NAME...`.
    pub softdeps: Vec<BString>,
}

/// Reads the module in the file `path`, which may be compressed.
///
/// # Errors
/// If it cannot be read, or is no module.
pub(super) fn read(path: &Path) -> Result<Fields, Reason> {
    let (_, compression) = unpack::split(path.as_os_str().as_bytes());
    let bytes = match compression {
        None => fs::read(path)?,
        Some(format) => unpack::unpack(path, format)?,
    };
    let section = section(&bytes)?;
    let mut fields = Fields::default();
    for string in section.split_str("\0") {
        match string.split_once_str("=") {
            Some((b"depends", value)) => fields.depends = value.into(),
            Some((b"softdep", value)) => fields.softdeps.push(value.into()),
            _ => {}
        }
    }
    Ok(fields)
}

/// The section `.modinfo`.
fn section(module: &[u8]) -> Result<&[u8], String> {
    let section = match FileKind::parse(module) {
        Ok(FileKind::Elf32) => find::<FileHeader32<Endianness>>(module),
        Ok(_) => find::<FileHeader64<Endianness>>(module),
        Err(error) => Err(error),
    };
    let reason = match section {
        Ok(Some(section)) => return Ok(section),
        Ok(None) => "it has no section .modinfo".into(),
        Err(error) => error.to_string(),
    };
    Err(format!(
        "is not a kernel module: {reason}; install it again"
    ))
}

fn find<Header: FileHeader<Endian = Endianness>>(module: &[u8]) -> read::Result<Option<&[u8]>> {
    let header = Header::parse(module)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, module)?;
    let section = sections.section_by_name(endian, b".modinfo");
    section
        .map(|(_, section)| section.data(endian, module))
        .transpose()
}
