//! AArch64: the process entry of its procedure call standard and Linux's `svc` convention, see syscall(2).

use core::arch::{asm, global_asm};

/// `EM_AARCH64`, elf(5).
pub(crate) const ELF_MACHINE: u16 = 183;
/// This architecture has none.
pub(crate) const ELF_FLAGS: u32 = 0;

const SYS_WRITE: usize = 64;
const SYS_PPOLL: usize = 73;

// At the entry, sp is a multiple of 16, as a function expects. So a branch is enough, because the function
// never returns.
global_asm!(
    ".globl _start",
    "_start: b {main}",
    main = sym crate::main,
);

unsafe extern "C" {
    /// The first instruction that runs in user space.
    pub(crate) fn _start() -> !;
}

// The kernel overwrites x0. It preserves all other registers and the user's stack.

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

/// Like pause(2), which this architecture does not have: ppoll(2) without files and without a timeout.
/// Returns after a handled signal.
pub(crate) fn pause() {
    // SAFETY: all addresses (x0, x2, x3) are null, so the system call accesses no memory.
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
