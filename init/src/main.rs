//! PID 1: says hello, then sleeps for ever.
//!
//! There is no libc, no heap and no runtime below this, only the kernel. A PID 1 that returns, or
//! dies, panics the kernel ("Attempted to kill init!"), so no path through this program ends.

#![no_std]
#![no_main]

mod arch;
mod elf;

const STDOUT: usize = 1;
/// errno(3): a signal arrived before anything was written.
const EINTR: isize = 4;

/// What [`arch`]'s `_start` calls, on the stack that the kernel made.
extern "C" fn main() -> ! {
    write_all(STDOUT, b"Hello, world!\n");
    loop {
        arch::pause();
    }
}

/// Writes all of `bytes`, unless the kernel says that it cannot be done.
///
/// What cannot be written is given up rather than retried: a PID 1 that spins on a broken console
/// takes a whole CPU with it, and there is nobody to tell.
#[inline]
fn write_all(fd: usize, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match arch::write(fd, bytes) {
            written @ 1.. => match bytes.get(written as usize..) {
                Some(rest) => bytes = rest,
                None => return,
            },
            errno if errno == -EINTR => {}
            _ => return,
        }
    }
}

/// Required by the language and never called: link.ld refuses an image that could.
#[panic_handler]
#[unsafe(link_section = ".panic")]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {
        arch::pause();
    }
}
