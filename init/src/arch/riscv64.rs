//! RISC-V: the process entry of its psABI and Linux's `ecall` convention, see syscall(2).

use core::arch::{asm, global_asm};

/// `EM_RISCV`, elf(5).
pub(crate) const ELF_MACHINE: u16 = 243;
/// `EF_RISCV_RVC` and `EF_RISCV_FLOAT_ABI_DOUBLE` of the psABI, as in other programs compiled by rustc.
pub(crate) const ELF_FLAGS: u32 = 1 | 4;

const SYS_WRITE: usize = 64;
const SYS_PPOLL: usize = 73;

// At the entry, sp is a multiple of 16, as a function expects. So a jump is enough, because the function
// never returns.
global_asm!(
    ".globl _start",
    "_start: j {main}",
    main = sym crate::main,
);

unsafe extern "C" {
    /// The first instruction that runs in user space.
    pub(crate) fn _start() -> !;
}

// The kernel overwrites a0. It preserves all other registers and the user's stack.

/// write(2): the number of bytes written, or a negated errno.
pub(crate) fn write(fd: usize, bytes: &[u8]) -> isize {
    let result;
    // SAFETY: the kernel only reads `bytes`, which is borrowed for as long as the call lasts.
    unsafe {
        asm!(
            "ecall",
            in("a7") SYS_WRITE,
            inlateout("a0") fd => result,
            in("a1") bytes.as_ptr(),
            in("a2") bytes.len(),
            options(nostack, readonly),
        );
    }
    result
}

/// Like pause(2), which this architecture does not have: ppoll(2) without files and without a timeout.
/// Returns after a handled signal.
pub(crate) fn pause() {
    // SAFETY: all addresses (a0, a2, a3) are null, so the system call accesses no memory.
    unsafe {
        asm!(
            "ecall",
            in("a7") SYS_PPOLL,
            inlateout("a0") 0_usize => _,
            in("a1") 0_usize,
            in("a2") 0_usize,
            in("a3") 0_usize,
            options(nostack, nomem),
        );
    }
}
