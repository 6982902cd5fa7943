//! PID 1: says hello, then sleeps for ever.
//!
//! The program uses only the kernel: no libc, no heap and no runtime. If PID 1 returns or is killed, the
//! kernel panics ("Attempted to kill init!"). So this program never ends.

#![no_std]
#![no_main]

mod arch;
mod elf;

const STDOUT: usize = 1;
/// errno(3): a signal arrived before anything was written.
const EINTR: isize = 4;

/// Called by `_start` in [`arch`], on the stack that the kernel made.
extern "C" fn main() -> ! {
    write_all(STDOUT, b"Hello, world!\n");
    loop {
        arch::pause();
    }
}

/// Writes all of `bytes`, or stops at the first error.
///
/// It repeats only an interrupted write. If it repeated every failed write, PID 1 would use a whole CPU when
/// the console is broken. There is nowhere to report the error.
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

/// The language requires it, but nothing calls it: link.ld refuses an image with a call to it.
#[panic_handler]
#[unsafe(link_section = ".panic")]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {
        arch::pause();
    }
}
