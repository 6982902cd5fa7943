//! AArch64: the process entry of its procedure call standard and Linux's `svc` convention, see syscall(2).

use core::arch::{asm, global_asm};

/// `EM_AARCH64`, elf(5).
pub(crate) const ELF_MACHINE: u16 = 183;
/// There are none.
pub(crate) const ELF_FLAGS: u32 = 0;

const SYS_WRITE: usize = 64;
const SYS_PPOLL: usize = 73;

// The kernel enters with sp a multiple of 16, as a function expects it. Hence a plain branch, to a
// function that never returns.
global_asm!(
    ".globl _start",
    "_start: b {main}",
    main = sym crate::main,
);

unsafe extern "C" {
    /// The first instruction that runs in user space.
    pub(crate) fn _start() -> !;
}

// The kernel leaves every register but x0 alone and does not touch the user's stack.

/// write(2): the number of bytes written, or a negated errno.
pub(crate) fn write(fd: usize, bytes: &[u8]) -> isize {
    let result;
    // SAFETY: the kernel only reads `bytes`, which is borrowed for as long as the call lasts.
    unsafe {
        asm!(
            "svc 0",
            in("x8") SYS_WRITE,
            inlateout("x0") fd => result,
            in("x1") bytes.as_ptr(),
            in("x2") bytes.len(),
            options(nostack, readonly),
        );
    }
    result
}

/// pause(2), which this architecture does not have, by ppoll(2) of nothing, for ever: returns after
/// a signal that was handled.
pub(crate) fn pause() {
    // SAFETY: without addresses (x0, x2, x3) it touches no memory.
    unsafe {
        asm!(
            "svc 0",
            in("x8") SYS_PPOLL,
            inlateout("x0") 0_usize => _,
            in("x1") 0_usize,
            in("x2") 0_usize,
            in("x3") 0_usize,
            options(nostack, nomem),
        );
    }
}
