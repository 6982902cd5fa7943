//! PID 1: says hello, then waits for ever. A PID 1 that ends panics the kernel.
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};

// The kernel enters with the stack aligned as before a call.
global_asm!(".globl _start", "_start: call {main}", main = sym main);

extern "C" fn main() -> ! {
    let text = b"Hello from my own PID 1!\n";
    // SAFETY: write(2) reads the text, pause(2) takes nothing.
    unsafe { system_call(1, 1, text.as_ptr() as usize, text.len()) };
    loop {
        unsafe { system_call(34, 0, 0, 0) };
    }
}

/// syscall(2), with up to three arguments.
///
/// # Safety
///
/// The kernel does what it is told.
unsafe fn system_call(number: isize, a: usize, b: usize, c: usize) -> isize {
    let result;
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a, in("rsi") b, in("rdx") c,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {
        unsafe { system_call(34, 0, 0, 0) };
    }
}
