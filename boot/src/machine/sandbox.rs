//! QEMU's sandbox, a seccomp filter. An image may be malicious. If its guest takes over the QEMU process,
//! the sandbox stops it from starting programs and gaining privileges.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;

use object::elf::{DT_NEEDED, FileHeader64};
use object::read::elf::FileHeader;
use object::{Endianness, ReadCache, read};

/// The value of `-sandbox`. QEMU needs none of the denied system calls.
pub const OPTIONS: &str = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/// Whether to pass `-sandbox` to `qemu`: if QEMU supports it, and `more`, the user's arguments for QEMU,
/// do not contain it.
pub fn wanted(qemu: &Path, more: &[OsString]) -> bool {
    let by_user = more
        .iter()
        .any(|word| word == "-sandbox" || word == "--sandbox");
    // A QEMU without support rejects the option, and a wrapper script may start such a QEMU.
    !by_user && File::open(qemu).is_ok_and(|file| links_seccomp(file).unwrap_or(false))
}

/// Whether the program in `file` is linked with libseccomp, without which QEMU has no sandbox.
fn links_seccomp(file: File) -> read::Result<bool> {
    let cache = ReadCache::new(file);
    let header = FileHeader64::<Endianness>::parse(&cache)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, &cache)?;
    let dynamic = sections.dynamic_table(endian, &cache)?;
    let mut needed = dynamic.iter().filter(|entry| entry.tag == DT_NEEDED);
    Ok(needed.any(|entry| {
        let name = dynamic.string(entry);
        name.is_ok_and(|name| name.starts_with(b"libseccomp.so"))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_qemu_that_has_a_sandbox_gets_one() {
        let own = std::env::current_exe().unwrap();
        assert!(!links_seccomp(File::open(own).unwrap()).unwrap());
        for no_elf_file in ["/proc/self/status", "no/such/file"] {
            assert!(!wanted(Path::new(no_elf_file), &[]));
        }
    }
}
