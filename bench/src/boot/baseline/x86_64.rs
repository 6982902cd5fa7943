//! For x86-64, entered in 32-bit mode: its first serial port is at an I/O port.

use super::{TEXT, words};

/// Where it is in the guest's memory.
const ADDRESS: u32 = 0x10_0000;

/// An ELF file that QEMU's `-kernel` enters as PVH has it: in 32-bit mode, flat, without paging.
pub fn kernel() -> Vec<u8> {
    const EHDR: u32 = 52;
    const PHDR: u32 = 32;
    let note_at = EHDR + 2 * PHDR;
    let mut note = words(&[4, 4, 18]); // lengths of name and value, XEN_ELFNOTE_PHYS32_ENTRY
    note.extend(b"Xen\0");
    note.extend(ADDRESS.to_le_bytes());
    let code_at = note_at + note.len() as u32;
    let code = code();
    let size = code.len() as u32;

    let mut elf = b"\x7fELF\x01\x01\x01".to_vec(); // 32 bits, little-endian, version 1
    elf.resize(16, 0);
    elf.extend([2, 0, 3, 0]); // an executable, for the 386
    elf.extend(words(&[1, ADDRESS, EHDR, 0, 0])); // version, entry, program headers, no sections
    elf.extend(
        [EHDR, PHDR, 2, 0, 0, 0]
            .map(|field| field as u16)
            .iter()
            .flat_map(|field| field.to_le_bytes()),
    );
    // type, offset, address, physical address, size in the file and in memory, flags, alignment
    elf.extend(words(&[1, code_at, ADDRESS, ADDRESS, size, size, 5, 1]));
    elf.extend(words(&[4, note_at, 0, 0, note.len() as u32, 0, 4, 4]));
    elf.extend(note);
    elf.extend(code);
    elf
}

/// 20 bytes of code, and the text.
fn code() -> Vec<u8> {
    const LENGTH: u32 = 20;
    let mut code = vec![0xbe]; // mov esi, text
    code.extend((ADDRESS + LENGTH).to_le_bytes());
    code.push(0xb9); // mov ecx, its length
    code.extend((TEXT.len() as u32).to_le_bytes());
    code.extend([0xba, 0xf8, 0x03, 0, 0]); // mov edx, the first serial port
    code.extend([0xf3, 0x6e]); // rep outsb
    code.extend([0xf4, 0xeb, 0xfd]); // hlt, for ever
    assert_eq!(code.len(), LENGTH as usize);
    code.extend(TEXT);
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_small_as_it_looks() {
        let elf = kernel();
        assert_eq!(elf.len(), 52 + 2 * 32 + 20 + 20 + TEXT.len());
        assert!(elf.ends_with(TEXT));
    }
}
