//! AArch64: the process entry and Linux's `svc` convention, see syscall(2).

use core::arch::{asm, global_asm};

global_asm!(
    ".globl _start",
    "_start: mov x0, sp",
    "bl {main}",
    main = sym crate::entered,
);

/// The system call `number`: its result, or a negated errno.
///
/// # Safety
/// As the system call says.
pub unsafe fn system_call(number: usize, arguments: [usize; 6]) -> isize {
    let result;
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: the kernel preserves all registers but x0. The caller answers for the memory.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a => result,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f,
            options(nostack),
        );
    }
    result
}
