//! The header of an ELF kernel.

use std::fs::File;
use std::io::{Read, Seek};

use object::elf::{self, FileHeader32, FileHeader64, Machine, NoteType};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, FileKind, ReadCache, ReadRef, read};

use crate::files::format::multiboot;

/// The owner and type of the note with the PVH entry (`XEN_ELFNOTE_PHYS32_ENTRY` in Linux's
/// include/xen/interface/elfnote.h).
const PVH_ENTRY: (&[u8], NoteType) = (b"Xen", NoteType(18));

/// The section with the options of user-mode Linux (arch/um/include/asm/common.lds.S). No other kernel has it.
const UML_SETUP: &[u8] = b".uml.setup.init";

/// The section with the names of these options, and the option of a kernel that can run its guests by seccomp(2)
/// (arch/um/os-Linux/start_up.c).
const UML_NAMES: &[u8] = b"init.data";
const UML_SECCOMP: &[u8] = b"\0seccomp=\0";

/// The properties of an ELF kernel that decide what can boot it.
#[derive(Debug, PartialEq)]
pub struct Header {
    /// The architecture, `e_machine`.
    pub machine: Machine,
    /// Whether it has the note with the PVH entry.
    pub pvh: bool,
    /// Whether it has a multiboot header.
    pub multiboot: bool,
    /// Whether it is user-mode Linux.
    pub user_mode: bool,
    /// Whether it is user-mode Linux with the option `seccomp=`.
    pub seccomp: bool,
}

impl Header {
    /// Reads the header and the notes. It does not read the rest of the file, which may have hundreds of
    /// megabytes of symbols.
    pub fn read(file: File) -> read::Result<Header> {
        let mut head = Vec::new();
        // Ignore errors here; the parser below reports them.
        let _ = (&file).take(8192).read_to_end(&mut head);
        let _ = (&file).rewind();
        let cache = ReadCache::new(file);
        let mut header = match FileKind::parse(&cache)? {
            FileKind::Elf32 => parse::<FileHeader32<Endianness>, _>(&cache)?,
            _ => parse::<FileHeader64<Endianness>, _>(&cache)?,
        };
        header.multiboot = multiboot(&head);
        Ok(header)
    }
}

/// The header without what the first bytes of the file tell.
fn parse<'data, Elf, R>(data: R) -> read::Result<Header>
where
    Elf: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let header = Elf::parse(data)?;
    let endian = header.endian()?;
    let mut pvh = false;
    for segment in header.program_headers(endian, data)? {
        let Some(mut notes) = segment.notes(endian, data)? else {
            continue;
        };
        // Ignore notes that cannot be parsed: Debian's user-mode Linux has some, and runs.
        while let Ok(Some(note)) = notes.next() {
            pvh |= (note.name(), note.n_type(endian)) == PVH_ENTRY;
        }
    }
    let sections = header.sections(endian, data)?;
    let user_mode = sections.section_by_name(endian, UML_SETUP).is_some();
    let seccomp = match sections.section_by_name(endian, UML_NAMES) {
        Some((_, names)) if user_mode => {
            let mut names = names.data(endian, data)?.windows(UML_SECCOMP.len());
            names.any(|name| name == UML_SECCOMP)
        }
        _ => false,
    };
    Ok(Header {
        machine: header.e_machine(endian),
        pvh,
        multiboot: false,
        user_mode,
        seccomp,
    })
}

/// The usual name of an architecture in QEMU and Linux.
pub fn machine_name(machine: Machine) -> String {
    let name = match machine {
        elf::EM_386 => "i386",
        elf::EM_X86_64 => "x86_64",
        elf::EM_ARM => "arm",
        elf::EM_AARCH64 => "aarch64",
        elf::EM_RISCV => "riscv",
        elf::EM_PPC => "powerpc",
        elf::EM_PPC64 => "ppc64",
        elf::EM_S390 => "s390x",
        elf::EM_MIPS => "mips",
        elf::EM_LOONGARCH => "loongarch",
        elf::EM_SPARCV9 => "sparc64",
        Machine(other) => return format!("machine {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use super::*;

    /// The smallest ELF file with one note: the entry of PVH, or something else of Xen's.
    pub fn kernel(machine: u16, pvh: bool) -> Vec<u8> {
        let words =
            |list: &[u64]| -> Vec<u8> { list.iter().flat_map(|w| w.to_le_bytes()).collect() };
        let halves =
            |list: &[u16]| -> Vec<u8> { list.iter().flat_map(|h| h.to_le_bytes()).collect() };
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend(halves(&[2, machine, 1, 0]));
        file.extend(words(&[0, 64, 0]));
        file.extend(halves(&[0, 0, 64, 56, 1, 64, 0, 0]));
        // PT_NOTE, at 120, 20 bytes, aligned to 4.
        file.extend(words(&[4 | (4 << 32), 120, 0, 0, 20, 20, 4]));
        for word in [4, 4, if pvh { 18 } else { 19 }] {
            file.extend(u32::to_le_bytes(word));
        }
        file.extend(b"Xen\0\0\0\x20\0");
        file
    }

    fn read(bytes: &[u8]) -> read::Result<Header> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        Header::read(file)
    }

    #[test]
    fn machine_and_note_are_found() {
        for (machine, pvh) in [(62, true), (62, false), (183, false)] {
            let expected = Header {
                machine: Machine(machine),
                pvh,
                multiboot: false,
                user_mode: false,
                seccomp: false,
            };
            assert_eq!(read(&kernel(machine, pvh)).unwrap(), expected);
        }
        assert_eq!(machine_name(elf::EM_X86_64), "x86_64");
    }

    #[test]
    fn a_broken_file_is_an_error() {
        let whole = kernel(62, true);
        for length in [4, 20, 63, 100, 125] {
            assert!(read(&whole[..length]).is_err(), "{length}");
        }
    }
}
