//! QEMU's own sandbox, a seccomp filter. Images come from strangers: a guest that breaks out of its
//! machine into QEMU finds there that QEMU may neither start programs nor gain privileges.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;

use object::elf::{DT_NEEDED, FileHeader64};
use object::read::elf::FileHeader;
use object::{Endianness, ReadCache, read};

/// What follows `-sandbox`: QEMU needs none of what is denied.
pub const OPTIONS: &str = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/// Whether `qemu` is to be sandboxed: if it can be, and `more`, the user's own arguments for it, do not
/// say how.
pub fn wanted(qemu: &Path, more: &[OsString]) -> bool {
    let by_user = more
        .iter()
        .any(|word| word == "-sandbox" || word == "--sandbox");
    // Of a wrapper script there is no telling; a QEMU without the option does not start with it.
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
