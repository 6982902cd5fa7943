//! A test guest of one page of code. It executes the first instructions of a kernel, at which a broken
//! KVM fails.
//!
//! It starts in the state in which PVH starts a kernel: 32-bit protected mode, flat segments, no paging.
//! It loads a GDT, switches to long mode with its own page tables, saves and restores the x87 and SSE
//! state with FXSAVE and, if the CPU has it, XSAVE, writes the restored values to a port, and halts. It
//! has no IDT, so every exception is a triple fault.

mod code;

pub use code::CODE;

/// The port to which it writes its result, 32 bits wide.
pub const PORT: u16 = 0xf4;

/// The correct result.
pub const RESULT: u32 = SSE + X87;

/// The number in an SSE register while the state is saved, cleared and restored.
const SSE: u32 = 0x0000_ca7f;
/// The number in an x87 register.
const X87: u32 = 0x600d_007f;

// Addresses in the guest's physical memory, which begins at 0.
const PML4: usize = 0x1000;
const PDPT: usize = 0x2000;
const PAGE_DIRECTORY: usize = 0x3000;
const GDT: usize = 0x4000;
const GDT_POINTER: usize = 0x4100;
const CODE_AT: usize = 0x5000;
const NUMBER: usize = 0x6000;
const STATE: usize = 0x7000; // XRSTOR requires zeros in the header after the first 512 bytes.
const STACK_END: usize = 0x9000;
const PAGE: usize = 0x1000;

/// The size of its memory, in bytes.
pub const MEMORY: usize = STACK_END;

/// The address of its first instruction.
pub const ENTRY: u64 = CODE_AT as u64;

/// The end of its stack.
pub const STACK: u64 = STACK_END as u64;

/// The GDT's entries: null, 64-bit code, data.
const SEGMENTS: [u64; 3] = [0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff];
/// The selector of 64-bit code.
pub const CODE_SELECTOR: u16 = 0x08;
/// The selector of data.
pub const DATA_SELECTOR: u16 = 0x10;

/// One page of the guest's memory, with the alignment that KVM requires.
#[derive(Clone)]
#[repr(C, align(4096))]
pub struct Page([u8; PAGE]);

/// The guest's memory, ready to run `code` from [`ENTRY`].
///
/// # Panics
///
/// If `code` is longer than a page.
pub fn memory(code: &[u8]) -> Box<[Page]> {
    const PRESENT_WRITABLE: u64 = 0b11;
    const TWO_MIB: u64 = 1 << 7;
    let mut pages = vec![Page([0; PAGE]); MEMORY / PAGE];
    let mut write = |at: usize, bytes: &[u8]| {
        pages[at / PAGE].0[at % PAGE..][..bytes.len()].copy_from_slice(bytes);
    };
    // Map the first 2 MiB to themselves.
    write(PML4, &(PDPT as u64 | PRESENT_WRITABLE).to_le_bytes());
    write(
        PDPT,
        &(PAGE_DIRECTORY as u64 | PRESENT_WRITABLE).to_le_bytes(),
    );
    write(PAGE_DIRECTORY, &(TWO_MIB | PRESENT_WRITABLE).to_le_bytes());
    for (index, segment) in SEGMENTS.iter().enumerate() {
        write(GDT + index * 8, &segment.to_le_bytes());
    }
    // LGDT's operand: the offset of the last byte, then the address.
    let limit = size_of_val(&SEGMENTS) as u16 - 1;
    write(GDT_POINTER, &limit.to_le_bytes());
    write(GDT_POINTER + 2, &(GDT as u32).to_le_bytes());
    write(CODE_AT, code);
    pages.into()
}

/// The pages as bytes.
pub fn bytes(memory: &[Page]) -> Vec<u8> {
    memory.iter().flat_map(|page| page.0).collect()
}
