//! `init` as a file: an ELF program that says no more than the kernel needs, and says it honestly.

use std::fs;
use std::os::unix::fs::PermissionsExt;

const INIT: &str = env!("CARGO_BIN_EXE_init");

/// Field offsets and values are those of elf(5).
#[test]
fn is_a_small_static_elf_program() {
    let file = fs::read(INIT).unwrap();
    let u16 = |at| u16::from_le_bytes(file[at..at + 2].try_into().unwrap());
    let u32 = |at| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let u64 = |at| u64::from_le_bytes(file[at..at + 8].try_into().unwrap());
    const EHDR: u64 = 64;
    const PHDR: u64 = 56;

    assert!(file.len() <= 256, "{} bytes", file.len());

    assert_eq!(
        file[..7],
        *b"\x7fELF\x02\x01\x01",
        "64-bit, little-endian, version 1"
    );
    assert_eq!(u16(16), 2, "e_type: ET_EXEC");
    assert_eq!(u16(18), 62, "e_machine: EM_X86_64");
    let entry = u64(24);
    assert_eq!(
        u64(32),
        EHDR,
        "e_phoff: the program header follows the ELF header"
    );
    assert_eq!(u64(40), 0, "e_shoff: no section headers");
    assert_eq!(u64::from(u16(52)), EHDR, "e_ehsize");
    assert_eq!(u64::from(u16(54)), PHDR, "e_phentsize");
    assert_eq!(u16(56), 1, "e_phnum: neither PT_INTERP nor PT_DYNAMIC");
    assert_eq!(u16(60), 0, "e_shnum");

    assert_eq!(u32(64), 1, "p_type: PT_LOAD");
    assert_eq!(u32(68), 4 | 1, "p_flags: R and X, not W");
    assert_eq!(u64(72), 0, "p_offset");
    let start = u64(80);
    let size = u64(96);
    assert_eq!(size, file.len() as u64, "p_filesz: the whole file");
    assert_eq!(u64(104), size, "p_memsz");
    assert_eq!(start % u64(112), 0, "p_vaddr is a multiple of p_align");

    let code = start + EHDR + PHDR..start + size;
    assert!(
        code.contains(&entry),
        "e_entry {entry:#x} is not in {code:#x?}"
    );
}

#[test]
fn may_be_executed() {
    let mode = fs::metadata(INIT).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "{mode:o}");
}
