//! x86-64: the System V ABI's process entry and Linux's `syscall` convention, see syscall(2).

use core::arch::{asm, global_asm};

// At the entry, rsp is a multiple of 16. A function expects this before a call pushes the return address.
global_asm!(
    ".globl _start",
    "_start: mov rdi, rsp",
    "call {main}",
    main = sym crate::entered,
);

/// The system call `number`: its result, or a negated errno.
///
/// # Safety
/// As the system call says.
pub unsafe fn system_call(number: usize, arguments: [usize; 6]) -> isize {
    let result;
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: the kernel preserves all registers but these. The caller answers for the memory.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
}
