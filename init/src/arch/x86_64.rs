//! x86-64: the System V ABI's process entry and Linux's `syscall` convention, see syscall(2).

use core::arch::{asm, global_asm};

/// `EM_X86_64`, elf(5).
pub(crate) const ELF_MACHINE: u16 = 62;
/// There are none.
pub(crate) const ELF_FLAGS: u32 = 0;

const SYS_WRITE: isize = 1;
const SYS_PAUSE: isize = 34;

// The kernel enters with rsp a multiple of 16, and a function expects that *before* the call that
// enters it has pushed a return address. Hence a call, to a function that never returns.
global_asm!(
    ".globl _start",
    "_start: call {main}",
    main = sym crate::main,
);

unsafe extern "C" {
    /// The first instruction that runs in user space.
    pub(crate) fn _start() -> !;
}

// `syscall` itself overwrites rcx and r11; the kernel leaves every other register but rax alone and
// does not touch the user's stack.

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

/// pause(2): returns after a signal that was handled.
pub(crate) fn pause() {
    // SAFETY: takes no arguments, touches no memory.
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
