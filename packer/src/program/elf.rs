//! What the kernel and the dynamic linker read of an ELF file.

use crate::error::Reason;
use bstr::{BString, ByteSlice};
use object::elf::{self, DynamicTag, FileHeader32, FileHeader64, Machine};
use object::read::elf::{Dyn, FileHeader, NoteIterator, ProgramHeader};
use object::{Endianness, ReadCache, ReadRef};
use std::fmt;
use std::fs::File;
use std::path::Path;

/// An ELF program or library.
#[derive(Debug, Default)]
pub(crate) struct Elf {
    pub architecture: Architecture,
    /// False for an object file or a core dump, for example.
    pub is_executable: bool,
    /// `PT_INTERP`.
    pub interpreter: Option<BString>,
    /// `DT_NEEDED`.
    pub needed: Vec<BString>,
    /// `DT_SONAME`.
    pub soname: Option<BString>,
    /// `DT_RPATH`.
    pub rpath: Option<BString>,
    /// `DT_RUNPATH`.
    pub runpath: Option<BString>,
    /// `DF_1_NODEFLIB`: the default directories do not count.
    pub no_default: bool,
    /// `GNU_PROPERTY_X86_ISA_1_NEEDED`: a bit for each level of x86-64 that it needs.
    pub isa_needed: u32,
}

/// What must be the same in a program, in its interpreter and in its libraries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Architecture {
    /// `e_machine`.
    pub machine: u16,
    /// Whether its addresses have 64 bits.
    pub is_64: bool,
    /// Whether the first byte of a number is its largest part.
    pub is_big_endian: bool,
}

/// Reads an ELF file, but only the parts that are needed: a program may have hundreds of megabytes.
///
/// # Errors
/// If it cannot be read, is no ELF file, or is cut or malformed.
pub(super) fn read(path: &Path) -> Result<Elf, Reason> {
    let cache = ReadCache::new(File::open(path)?);
    let ident = (&cache).read_bytes_at(0, 5).unwrap_or_default();
    if !ident.starts_with(&elf::ELFMAG) {
        return Err("is not an ELF file, or is cut off".into());
    }
    parse_class(ident.get(4), &cache)
}

/// As [`read`], for a file that is in memory and begins with the magic of ELF.
pub(crate) fn parse_bytes(bytes: &[u8]) -> Result<Elf, Reason> {
    parse_class(bytes.get(4), bytes)
}

fn parse_class<'data, R: ReadRef<'data>>(class: Option<&u8>, data: R) -> Result<Elf, Reason> {
    let parsed = match class {
        Some(1) => parse::<FileHeader32<Endianness>, _>(data),
        _ => parse::<FileHeader64<Endianness>, _>(data),
    };
    parsed.map_err(|error| {
        format!("is a malformed ELF file, or is cut off: {error}; install or build it again").into()
    })
}

fn parse<'data, Header, R>(data: R) -> Result<Elf, Reason>
where
    Header: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let header = Header::parse(data)?;
    let endian = header.endian()?;
    let mut elf = Elf {
        architecture: Architecture {
            machine: header.e_machine(endian).0,
            is_64: header.is_type_64(),
            is_big_endian: endian == Endianness::Big,
        },
        is_executable: matches!(header.e_type(endian), elf::ET_EXEC | elf::ET_DYN),
        ..Elf::default()
    };
    let segments = header.program_headers(endian, data)?;
    for segment in segments {
        if let Some(path) = segment.interpreter(endian, data)? {
            elf.interpreter = Some(path.into());
        }
        // A malformed note stops no program.
        if let Ok(Some(notes)) = segment.notes(endian, data) {
            elf.isa_needed |= isa_needed(endian, notes);
        }
        let Some(entries) = segment.dynamic(endian, data)? else {
            continue;
        };
        let entries = entries
            .iter()
            .map(|entry| (entry.tag(endian), entry.val(endian)));
        let entries = entries.take_while(|(tag, _)| *tag != elf::DT_NULL);
        let find = |wanted| {
            entries
                .clone()
                .find(|(tag, _)| *tag == wanted)
                .map(|(_, value)| value)
        };
        let strings = match (find(elf::DT_STRTAB), find(elf::DT_STRSZ)) {
            (Some(address), Some(size)) => {
                let in_file = segments
                    .iter()
                    .find_map(|segment| file_offset(segment, endian, address));
                in_file.and_then(|offset| data.read_bytes_at(offset, size).ok())
            }
            _ => None,
        };
        for (tag, value) in entries {
            elf.add(tag, value, strings)?;
        }
    }
    Ok(elf)
}

/// The levels that the notes name. Files of other architectures have no such note.
fn isa_needed<Header: FileHeader>(
    endian: Header::Endian,
    mut notes: NoteIterator<'_, Header>,
) -> u32 {
    let mut needed = 0;
    while let Ok(Some(note)) = notes.next() {
        let Some(mut properties) = note.gnu_properties(endian) else {
            continue;
        };
        while let Ok(Some(property)) = properties.next() {
            if property.pr_type() == elf::GNU_PROPERTY_X86_ISA_1_NEEDED {
                needed |= property.data_u32(endian).unwrap_or(0);
            }
        }
    }
    needed
}

/// The byte of the file that a segment loads to `address`.
fn file_offset<Segment>(segment: &Segment, endian: Endianness, address: u64) -> Option<u64>
where
    Segment: ProgramHeader<Endian = Endianness>,
{
    let start = address.checked_sub(segment.p_vaddr(endian).into())?;
    let is_loaded =
        segment.p_type(endian) == elf::PT_LOAD && start < segment.p_filesz(endian).into();
    is_loaded.then(|| start.checked_add(segment.p_offset(endian).into()))?
}

impl Elf {
    /// Adds an entry of the dynamic section.
    fn add(&mut self, tag: DynamicTag, value: u64, strings: Option<&[u8]>) -> Result<(), Reason> {
        // Not with object's StringTable, which fails for strings of more than 4096 bytes. A RUNPATH of Nix
        // may be longer.
        let text = || {
            let rest = strings.zip(usize::try_from(value).ok());
            let rest = rest.and_then(|(strings, start)| strings.get(start..));
            let end = rest.and_then(|rest| rest.find_byte(0));
            let text = rest.zip(end).map(|(rest, end)| BString::from(&rest[..end]));
            text.ok_or("a name is outside of the dynamic string table")
        };
        match tag {
            elf::DT_NEEDED => self.needed.push(text()?),
            elf::DT_SONAME => self.soname = Some(text()?),
            elf::DT_RPATH => self.rpath = Some(text()?),
            elf::DT_RUNPATH => self.runpath = Some(text()?),
            elf::DT_FLAGS_1 => self.no_default = value & elf::DF_1_NODEFLIB.0 != 0,
            _ => {}
        }
        Ok(())
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let bits = if self.is_64 { 64 } else { 32 };
        let name = match Machine(self.machine) {
            elf::EM_386 => "i386",
            elf::EM_X86_64 => "x86_64",
            elf::EM_ARM => "arm",
            elf::EM_AARCH64 => "aarch64",
            elf::EM_RISCV => "riscv",
            elf::EM_PPC64 => "ppc64",
            elf::EM_S390 => "s390",
            elf::EM_MIPS => "mips",
            elf::EM_LOONGARCH => "loongarch",
            _ => return write!(f, "machine {} with {bits} bits", self.machine),
        };
        let order = if self.is_big_endian {
            ", big-endian"
        } else {
            ""
        };
        write!(f, "{name} with {bits} bits{order}")
    }
}
