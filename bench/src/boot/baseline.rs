//! The least that can boot: a guest that prints a line, without a kernel. In each target's own machine
//! code, as what QEMU's `-kernel` takes there.

pub mod aarch64;
pub mod riscv64;
pub mod x86_64;

/// What it prints.
const TEXT: &[u8; 14] = b"Hello, world!\n";

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
