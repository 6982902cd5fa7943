//! The functions that compiled code calls for copies and comparisons. Without libc, nobody else has them.

use core::ptr::{read_volatile, write_volatile};

// Volatile accesses, so that the compiler does not turn these loops into calls of the same functions. Little is
// copied here: the streams' data stays where it was read.

#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    for at in 0..length {
        // SAFETY: the caller says that `length` bytes can be accessed.
        unsafe { write_volatile(to.add(at), read_volatile(from.add(at))) };
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    if to.addr() <= from.addr() {
        // SAFETY: the same. Nothing is overwritten before it is read.
        return unsafe { memcpy(to, from, length) };
    }
    for at in (0..length).rev() {
        // SAFETY: the same.
        unsafe { write_volatile(to.add(at), read_volatile(from.add(at))) };
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, length: usize) -> *mut u8 {
    for at in 0..length {
        // SAFETY: the same.
        unsafe { write_volatile(to.add(at), byte as u8) };
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, length: usize) -> i32 {
    for at in 0..length {
        // SAFETY: the same.
        let (a, b) = unsafe { (read_volatile(a.add(at)), read_volatile(b.add(at))) };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, length: usize) -> i32 {
    // SAFETY: the same.
    unsafe { memcmp(a, b, length) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(string: *const u8) -> usize {
    let mut length = 0;
    // SAFETY: the caller says that a byte 0 ends the string.
    while unsafe { read_volatile(string.add(length)) } != 0 {
        length += 1;
    }
    length
}
