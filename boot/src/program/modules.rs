//! The modules that a guest needs if its kernel, such as a distribution's, does not have everything built in.

use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use agent::protocol;
use anyhow::{Context, Result};
use packer::{Entry, Kind, Tree, kernel_modules};

use crate::files::format;
use crate::machine::target::Bus;
use crate::program::guest::{Guest, HostFiles};

/// The directory of the modules for the file `kernel`, if there is one: beside the kernel, in the same package, or
/// that of this machine.
pub fn directory(kernel: &Path) -> Option<PathBuf> {
    let kernel = kernel.canonicalize().ok()?;
    let version = version(&kernel)?;
    let beside = kernel.parent()?;
    let root = beside.parent().unwrap_or(beside);
    let own = (beside.file_name()? == version.as_str()).then(|| beside.to_owned());
    let others = [root, &root.join("usr"), Path::new("/")]
        .map(|root| root.join("lib/modules").join(&version));
    own.into_iter().chain(others).find(|path| path.is_dir())
}

/// The version of a kernel: as its image says, or as its file is called, such as `vmlinuz-6.1.0-18-arm64`.
fn version(kernel: &Path) -> Option<String> {
    // An unreadable kernel is an error elsewhere.
    let in_image = File::open(kernel).and_then(format::bzimage_version);
    in_image.ok().flatten().or_else(|| {
        let name = kernel.file_name()?.to_str()?;
        let (_, version) = name.split_once('-')?;
        Some(version.to_owned())
    })
}

/// Adds modules from the directory `modules` to `tree`, and the list from which the agent loads them: what `guest` needs
/// for the channel, its files and its network. `bus` is that of QEMU's devices.
///
/// # Errors
/// If the kernel lacks one of them: those of [`kernel_modules::closure`].
pub fn insert(tree: &mut Tree, modules: &Path, guest: &Guest, bus: Option<Bus>) -> Result<()> {
    let mut list = Vec::new();
    for (names, lack) in [
        (
            for_channel(bus),
            "the kernel cannot speak with boot; name another one with --kernel",
        ),
        (
            for_files(guest, bus),
            "the kernel cannot read files of this machine; use --pack, or name another kernel with --kernel",
        ),
        (
            guest.network.iter().map(|_| "virtio_net").collect(),
            "the kernel has no network; leave out --net, or name another kernel with --kernel",
        ),
    ] {
        let closure = kernel_modules::closure(modules, &names).context(lack)?;
        closure.insert(tree)?;
        for path in closure.paths() {
            list.extend(path.as_os_str().as_bytes());
            list.push(0);
        }
    }
    let list = Entry::new(Kind::Contents { bytes: list });
    tree.insert(protocol::MODULES.to_bytes(), list)?;
    Ok(())
}

/// The modules of the channel to boot. In user-mode Linux, it is a terminal.
fn for_channel(bus: Option<Bus>) -> Vec<&'static str> {
    let drivers = bus.map(|bus| [bus.module(), "virtio_console"]);
    drivers.into_iter().flatten().collect()
}

/// The modules of the file systems.
fn for_files(guest: &Guest, bus: Option<Bus>) -> Vec<&'static str> {
    let files = HostFiles::on(bus);
    let has_shares = guest.packed.is_none() || !guest.shares.is_empty();
    let shares: &[_] = match files {
        _ if !has_shares => &[],
        HostFiles::Hostfs => &["hostfs"],
        HostFiles::NineP => &["9pnet_virtio", "9p"],
    };
    let layers = guest.packed.is_none().then_some("overlay");
    shares.iter().copied().chain(layers).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn modules_are_found_beside_the_kernel_or_in_its_package() {
        for (kernel, modules) in [
            ("boot/vmlinuz-6.1-x", "lib/modules/6.1-x"),
            ("boot/vmlinuz-6.1-x", "usr/lib/modules/6.1-x"),
            (
                "usr/lib/modules/6.1-x/vmlinuz-6.1-x",
                "usr/lib/modules/6.1-x",
            ),
        ] {
            let root = TempDir::new().unwrap();
            let root = root.path().canonicalize().unwrap();
            let [kernel, modules] = [kernel, modules].map(|path| root.join(path));
            fs::create_dir_all(kernel.parent().unwrap()).unwrap();
            // Long enough for the header of a bzImage.
            fs::write(&kernel, [0; 1024]).unwrap();
            let link = root.join("link");
            std::os::unix::fs::symlink(&kernel, &link).unwrap();
            fs::create_dir_all(&modules).unwrap();
            for kernel in [&kernel, &link] {
                assert_eq!(directory(kernel).as_ref(), Some(&modules));
            }
            let other = kernel.with_file_name("vmlinuz-6.1-y");
            fs::rename(&kernel, &other).unwrap();
            assert_eq!(directory(&other), None);
        }
        assert_eq!(directory(Path::new("/none")), None);
    }

    #[test]
    fn the_version_in_a_bzimage_counts_more_than_its_name() {
        let root = TempDir::new().unwrap();
        let kernel = root.path().join("vmlinuz-6.1");
        let mut image = vec![0; 1024];
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x20e..0x210].copy_from_slice(&0x100_u16.to_le_bytes());
        image[0x300..0x310].copy_from_slice(b"6.12-x (user@h)\0");
        fs::write(&kernel, &image).unwrap();
        assert_eq!(version(&kernel).unwrap(), "6.12-x");
        image[0x20e..0x210].fill(0);
        fs::write(&kernel, &image).unwrap();
        assert_eq!(version(&kernel).unwrap(), "6.1");
        fs::write(&kernel, "short").unwrap();
        assert_eq!(version(&kernel).unwrap(), "6.1");
    }
}
