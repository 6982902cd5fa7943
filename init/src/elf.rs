//! The two headers that the kernel needs to run a program, with the names from elf(5).
//!
//! Linkers write more than these: section headers, symbols, up to a page of padding. The kernel reads
//! none of that, so we link a flat binary and define the headers here. They are complete and overlap
//! nothing, so readelf and gdb can read the file.

use crate::arch;

/// `Elf64_Ehdr`, the first 64 bytes of the file.
#[repr(C)]
struct Ehdr {
    e_ident: Ident,
    e_type: u16,
    e_machine: u16,
    e_version: u32,
    e_entry: unsafe extern "C" fn() -> !,
    e_phoff: u64,
    e_shoff: u64,
    e_flags: u32,
    e_ehsize: u16,
    e_phentsize: u16,
    e_phnum: u16,
    e_shentsize: u16,
    e_shnum: u16,
    e_shstrndx: u16,
}

/// `e_ident`, which has the same layout in every ELF file.
#[repr(C)]
struct Ident {
    ei_mag: [u8; 4],
    ei_class: u8,
    ei_data: u8,
    ei_version: u8,
    ei_osabi: u8,
    ei_pad: [u8; 8],
}

/// `Elf64_Phdr`: one segment.
#[repr(C)]
struct Phdr {
    p_type: u32,
    p_flags: u32,
    p_offset: u64,
    p_vaddr: Number,
    p_paddr: Number,
    p_filesz: Number,
    p_memsz: Number,
    p_align: u64,
}

#[repr(C)]
struct Headers {
    ehdr: Ehdr,
    phdr: Phdr,
}

/// A number that only the linker knows. It passes the number as the address of a symbol.
type Number = &'static Symbol;

/// The type of a linker symbol. It has no bytes, so nothing can be read through it.
#[repr(C)]
struct Symbol([u8; 0]);

// SAFETY: link.ld defines both, neither is 0, and a `Symbol` has no bytes to read.
unsafe extern "C" {
    /// The address of the image's first byte.
    safe static IMAGE_BASE: Symbol;
    /// The length of the image in bytes.
    safe static IMAGE_SIZE: Symbol;
}

const ELFCLASS64: u8 = 2;
const ELFDATA2LSB: u8 = 1;
const EV_CURRENT: u32 = 1;
const ET_EXEC: u16 = 2;
const PT_LOAD: u32 = 1;
const PF_X: u32 = 1;
const PF_R: u32 = 4;

#[used]
#[unsafe(link_section = ".elf")]
static HEADERS: Headers = Headers {
    ehdr: Ehdr {
        e_ident: Ident {
            ei_mag: *b"\x7fELF",
            ei_class: ELFCLASS64,
            ei_data: ELFDATA2LSB,
            ei_version: EV_CURRENT as u8,
            ei_osabi: 0, // ELFOSABI_NONE
            ei_pad: [0; 8],
        },
        e_type: ET_EXEC,
        e_machine: arch::ELF_MACHINE,
        e_version: EV_CURRENT,
        e_entry: arch::_start,
        e_phoff: size_of::<Ehdr>() as u64,
        e_shoff: 0, // there are no section headers
        e_flags: arch::ELF_FLAGS,
        e_ehsize: size_of::<Ehdr>() as u16,
        e_phentsize: size_of::<Phdr>() as u16,
        e_phnum: 1,
        e_shentsize: 0,
        e_shnum: 0,
        e_shstrndx: 0,
    },
    phdr: Phdr {
        p_type: PT_LOAD,
        p_flags: PF_R | PF_X,
        p_offset: 0,
        p_vaddr: &IMAGE_BASE,
        p_paddr: &IMAGE_BASE,
        p_filesz: &IMAGE_SIZE,
        p_memsz: &IMAGE_SIZE,
        p_align: 0x1000,
    },
};
