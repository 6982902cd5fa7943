//! What Linux reads before it unpacks an image: microcode and ACPI tables.
//!
//! `find_cpio_data()` of lib/earlycpio.c looks for them by their whole paths, and stops at the first compressed data. So
//! they belong in an uncompressed archive at the start of the image. `Documentation/arch/x86/microcode.rst` and
//! `Documentation/admin-guide/acpi/initrd_table_override.rst` of the kernel describe this.
//!
//! ```no_run
//! use packer::{CreateOptions, Tree, create, early};
//! use std::path::Path;
//!
//! let options = CreateOptions {
//!     early: early::tree(&["microcode_amd.bin".into()], &[])?,
//!     ..CreateOptions::default()
//! };
//! create(Path::new("ucode.img"), &Tree::new(), &options, &mut |_| ())?;
//! # Ok::<(), packer::Error>(())
//! ```

use crate::decompress::detect;
use crate::error::Reason;
use crate::escape::escape;
use crate::{Entry, Error, Kind, Tree, source};
use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where Linux looks for the microcode of each vendor.
pub(crate) const MICROCODE: [&str; 2] = [AMD, INTEL];
const AMD: &str = "kernel/x86/microcode/AuthenticAMD.bin";
const INTEL: &str = "kernel/x86/microcode/GenuineIntel.bin";

/// The directory of ACPI tables.
pub(crate) const ACPI: &str = "kernel/firmware/acpi/";

/// What the early loader reads, by the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Early {
    Microcode,
    AcpiTable,
}

impl Early {
    /// What a file at `path` is. The early loader compares only the start of the path, and ignores what follows.
    pub fn of(path: &[u8]) -> Option<Self> {
        let starts = |known: &str| path.starts_with(known.as_bytes());
        if MICROCODE.iter().any(|known| starts(known)) {
            return Some(Self::Microcode);
        }
        starts(ACPI).then_some(Self::AcpiTable)
    }
}

/// The first bytes of AMD's containers: `UCODE_MAGIC` of arch/x86/include/asm/microcode.h.
const AMD_MAGIC: [u8; 4] = 0x00414d44_u32.to_le_bytes();

/// The size of the header of an ACPI table, and where its length is in it.
const TABLE_HEADER: usize = 36;
const TABLE_LENGTH: usize = 4;

/// The most tables that Linux takes: `NR_ACPI_INITRD_TABLES` of drivers/acpi/tables.c.
const TABLES_MAX: usize = 64;

/// Reads files with microcode and ACPI tables, and makes the entries for the first archive of an image.
///
/// All microcode of a vendor goes into one entry, in the order of `microcode`. An ACPI table keeps the name of its
/// file.
///
/// # Errors
/// [`Error::At`] if a file cannot be read, or if Linux would ignore it.
pub fn tree(microcode: &[PathBuf], tables: &[PathBuf]) -> Result<Tree, Error> {
    let mut tree = Tree::new();
    let mut vendors: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for file in microcode {
        let bytes = read(file)?;
        let path = vendor(&bytes).map_err(|reason| Error::at(file, reason))?;
        vendors.entry(path).or_default().extend(bytes);
    }
    for (path, bytes) in vendors {
        tree.insert(path, Entry::new(Kind::Contents { bytes }))?;
    }
    for file in tables {
        if tables.len() > TABLES_MAX {
            let reason = format!(
                "is one of {} ACPI tables; Linux takes {TABLES_MAX}",
                tables.len()
            );
            return Err(Error::at(file, reason));
        }
        let bytes = read(file)?;
        check_table(&bytes).map_err(|reason| Error::at(file, reason))?;
        let name = file.file_name().unwrap_or_default().as_bytes();
        let path = [ACPI.as_bytes(), name].concat();
        tree.insert(path, Entry::new(Kind::Contents { bytes }))?;
    }
    Ok(tree)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let (mut file, _) = source::open(path)?;
    let mut bytes = Vec::new();
    let read = file.read_to_end(&mut bytes);
    read.map_err(|error| Error::at(path, error))?;
    Ok(bytes)
}

/// The path in the archive for microcode, which tells the vendor.
fn vendor(bytes: &[u8]) -> Result<&'static str, Reason> {
    if bytes.starts_with(&AMD_MAGIC) {
        return Ok(AMD);
    }
    // `struct microcode_header_intel`: the versions of the header and of the loader are 1.
    let word = |at: usize| {
        bytes
            .get(at..at + 4)?
            .try_into()
            .ok()
            .map(u32::from_le_bytes)
    };
    if (word(0), word(20)) == (Some(1), Some(1)) {
        return Ok(INTEL);
    }
    if let Some(format) = detect(bytes) {
        return Err(format!("is compressed with {format}; decompress it first").into());
    }
    Err("is neither microcode of Intel, as in /lib/firmware/intel-ucode, nor of AMD, as in /lib/firmware/amd-ucode".into())
}

/// Whether Linux would take the table: `acpi_table_upgrade()` of drivers/acpi/tables.c.
fn check_table(bytes: &[u8]) -> Result<(), Reason> {
    let Some(header) = bytes.get(..TABLE_HEADER) else {
        return Err("is shorter than the header of an ACPI table; compile it with iasl".into());
    };
    let length = header[TABLE_LENGTH..].first_chunk().copied();
    let length = u32::from_le_bytes(length.unwrap_or_default());
    if length as usize != bytes.len() {
        let reason = format!(
            "is no ACPI table: it has {} bytes, but its header (`{}`) says {length}; compile it with iasl",
            bytes.len(),
            escape(&header[..TABLE_LENGTH])
        );
        return Err(reason.into());
    }
    match bytes.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)) {
        0 => Ok(()),
        _ => Err("is an ACPI table with a wrong checksum, so Linux would ignore it; compile it again with iasl".into()),
    }
}
