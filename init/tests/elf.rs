//! `init` as a file: an ELF program with only the headers that the kernel needs, and with correct values.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use yaxpeax_arch::{Decoder, LengthedInstruction, U8Reader};
use yaxpeax_x86::amd64::InstDecoder;

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

/// The offset of the first instruction beyond the x86-64 baseline (SSE2), which the decoder does not know.
fn foreign_instruction(code: &[u8]) -> Option<usize> {
    let decoder = InstDecoder::minimal();
    let mut at = 0;
    while at < code.len() {
        match decoder.decode(&mut U8Reader::new(&code[at..])) {
            Ok(instruction) => at += instruction.len().to_const() as usize,
            Err(_) => return Some(at),
        }
    }
    None
}

/// The article's first init was killed by such an instruction, because its libc was built for newer CPUs.
#[test]
fn has_no_instruction_beyond_the_baseline() {
    let file = fs::read(INIT).unwrap();
    let code = file[64 + 56..].strip_suffix(b"Hello, world!\n");
    let code = code.expect("the greeting follows the code");
    assert_eq!(foreign_instruction(code), None, "{code:02x?}");

    let newer: [(&str, &[u8]); 5] = [
        ("haddps %xmm0, %xmm0 (SSE3)", b"\xf2\x0f\x7c\xc0"),
        ("popcnt %eax, %eax", b"\xf3\x0f\xb8\xc0"),
        ("vxorps %ymm0, %ymm0, %ymm0 (AVX)", b"\xc5\xfc\x57\xc0"),
        ("andn %eax, %eax, %eax (BMI1)", b"\xc4\xe2\x78\xf2\xc0"),
        (
            "vpxord %zmm0, %zmm0, %zmm0 (AVX-512)",
            b"\x62\xf1\x7d\x48\xef\xc0",
        ),
    ];
    for (name, instruction) in newer {
        let nop = [&[0x90], instruction].concat();
        assert_eq!(foreign_instruction(&nop), Some(1), "{name}");
    }
}
