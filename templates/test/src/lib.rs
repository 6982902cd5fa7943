//! A directory in memory that takes only so much. Mounting it needs root, so its tests need a kernel of their own.

use std::ffi::{CStr, CString, c_char, c_int, c_ulong};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

// Of the libc that std links.
unsafe extern "C" {
    fn mount(
        source: *const c_char,
        target: *const c_char,
        kind: *const c_char,
        flags: c_ulong,
        data: *const c_char,
    ) -> c_int;
    fn umount2(target: *const c_char, flags: c_int) -> c_int;
}

/// A file system in memory, mounted until it is dropped.
pub struct Scratch {
    target: CString,
}

impl Scratch {
    /// Mounts a new one at `target`, an existing directory, with room for `bytes`.
    pub fn mount(target: &Path, bytes: u64) -> io::Result<Self> {
        let target = CString::new(target.as_os_str().as_bytes())?;
        let options = CString::new(format!("size={bytes}"))?;
        let kind: &CStr = c"tmpfs";
        // SAFETY: all pointers are to strings that live until the call ends.
        let result = unsafe {
            mount(
                kind.as_ptr(),
                target.as_ptr(),
                kind.as_ptr(),
                0,
                options.as_ptr(),
            )
        };
        match result {
            0 => Ok(Self { target }),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        const MNT_DETACH: c_int = 2;
        // SAFETY: the pointer is to a string of our own.
        unsafe { umount2(self.target.as_ptr(), MNT_DETACH) };
    }
}
