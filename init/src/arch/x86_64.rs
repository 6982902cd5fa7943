//! x86-64: the System V ABI's process entry and Linux's `syscall` convention, see syscall(2).

use core::arch::{asm, global_asm};

/// `EM_X86_64`, elf(5).
pub(crate) const ELF_MACHINE: u16 = 62;
/// This architecture has none.
pub(crate) const ELF_FLAGS: u32 = 0;

const SYS_WRITE: isize = 1;
const SYS_PAUSE: isize = 34;

// At the entry, rsp is a multiple of 16. A function expects this before a call pushes the return address.
// So we call the function, although it never returns.
global_asm!(
    ".globl _start",
    "_start: call {main}",
    main = sym crate::main,
);

unsafe extern "C" {
    /// The first instruction that runs in user space.
    pub(crate) fn _start() -> !;
}

// `syscall` overwrites rcx and r11, and the kernel overwrites rax. The kernel preserves all other registers and
// the user's stack.

/// write(2): the number of bytes written, or a negated errno.
pub(crate) fn write(fd: usize, bytes: &[u8]) -> isize {
    let result;
    // SAFETY: the kernel only reads `bytes`, which is borrowed for as long as the call lasts.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") SYS_WRITE => result,
            in("rdi") fd,
            in("rsi") bytes.as_ptr(),
            in("rdx") bytes.len(),
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack, readonly),
        );
    }
    result
}

/// pause(2). Returns after a handled signal.
pub(crate) fn pause() {
    // SAFETY: the system call has no arguments and accesses no memory.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") SYS_PAUSE => _,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack, nomem),
        );
    }
}
