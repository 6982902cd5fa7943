//! Loads kernel modules, the channel's driver among them.

use core::ffi::CStr;

use agent::protocol::MODULES;

use crate::say;
use crate::system::{self, EEXIST, O_CLOEXEC};

/// The longest list of modules, in bytes.
const LONGEST: usize = 64 << 10;

/// Loads the modules of the list, if there is one. Without a module, something fails later, so the console says which
/// one was not loaded.
pub fn load() {
    let Ok(list) = read() else { return };
    let mut rest = list;
    while let Ok(path) = CStr::from_bytes_until_nul(rest) {
        rest = rest
            .get(path.to_bytes_with_nul().len()..)
            .unwrap_or_default();
        match load_one(path) {
            Ok(()) | Err(EEXIST) => {}
            Err(errno) => {
                say(b"agent: cannot load the kernel module ");
                say(path.to_bytes());
                say(b": errno ");
                say(&errno.digits());
                say(b"\n");
            }
        }
    }
}

/// The list.
fn read() -> system::Result<&'static [u8]> {
    let file = system::open(MODULES, O_CLOEXEC)?;
    let list = system::allocate(LONGEST)?;
    let mut length = 0;
    loop {
        match system::read(file, list.get_mut(length..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(errno) => return Err(errno),
        }
    }
    system::close(file);
    Ok(list.get(..length).unwrap_or_default())
}

fn load_one(path: &CStr) -> system::Result<()> {
    let file = system::open(path, O_CLOEXEC)?;
    let loaded = system::load_module(file);
    system::close(file);
    loaded
}
