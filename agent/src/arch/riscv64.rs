//! RISC-V: the process entry and Linux's `ecall` convention, see syscall(2).

use core::arch::{asm, global_asm};

global_asm!(
    ".globl _start",
    "_start: mv a0, sp",
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
    // SAFETY: the kernel preserves all registers but a0. The caller answers for the memory.
    unsafe {
        asm!(
            "ecall",
            in("a7") number,
            inlateout("a0") a => result,
            in("a1") b, in("a2") c, in("a3") d, in("a4") e, in("a5") f,
            options(nostack),
        );
    }
    result
}
