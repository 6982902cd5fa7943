//! Checks the formats of the kernel and the initramfs before QEMU starts: with a wrong file, the guest
//! prints nothing, or QEMU's error is misleading.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::files::format::{self, Format, Role};
use crate::machine::target::{RunBy, Target};
use crate::machine::vm::quoted;

mod bootable;
mod elf;

pub use bootable::warnings;

#[cfg(test)]
pub(crate) use elf::tests::kernel as tiny_kernel;

/// Advice for a wrong file.
const OTHER_KERNEL: &str = "name another kernel with --kernel FILE or BOOT_KERNEL=FILE";
const OTHER_INITRD: &str = "name another initramfs with --initrd FILE or BOOT_INITRD=FILE";

/// The formats of the two files of a boot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inputs {
    /// The kernel's format.
    pub kernel: Format,
    /// The initramfs's format.
    pub initrd: Format,
}

/// Checks both files. Fails if QEMU cannot boot this kernel on `target`, or if no kernel can unpack this
/// initramfs. An unknown format of an initramfs passes.
pub fn inputs(target: &Target, kernel: &Path, initrd: &Path) -> Result<Inputs> {
    let found = Inputs {
        kernel: identify("kernel", kernel)?,
        initrd: identify("initramfs", initrd)?,
    };
    if found.kernel.role() == Role::Initramfs && found.initrd.role() == Role::Kernel {
        bail!(
            "--kernel and --initrd are swapped: {} is {}, and {} is {}",
            kernel.display(),
            found.kernel,
            initrd.display(),
            found.initrd
        );
    }
    check_kernel(target, kernel, found.kernel)?;
    check_initrd(initrd, found.initrd)?;
    Ok(found)
}

/// Whether `target` can boot this kernel.
pub fn is_for(target: &Target, kernel: &Path) -> bool {
    let format = identify("kernel", kernel);
    format.is_ok_and(|format| check_kernel(target, kernel, format).is_ok())
}

fn identify(what: &str, path: &Path) -> Result<Format> {
    File::open(path)
        .and_then(|file| Format::of(&file))
        .with_context(|| format!("{}: cannot read the {what}", path.display()))
}

fn check_kernel(target: &Target, path: &Path, format: Format) -> Result<()> {
    let shown = path.display();
    let unusable = format!("{shown}: cannot use it as the kernel: it is");
    if format == Format::Elf {
        check_elf(target, path)?;
    }
    if target.kernels.contains(&format) {
        return Ok(());
    }
    if let Some(architecture) = format.architecture() {
        bail!(
            "{unusable} {format}, for {architecture}; the target is {} ({OTHER_KERNEL})",
            target.name
        );
    }
    match format.advice() {
        Some(advice) if format.role() != Role::Kernel => {
            bail!("{unusable} {format} ({advice}, or {OTHER_KERNEL})")
        }
        _ => bail!(
            "{unusable} {format}; a kernel for {} is {} ({OTHER_KERNEL})",
            target.name,
            Format::list(target.kernels)
        ),
    }
}

/// Fails if this ELF kernel cannot be started: it needs the right architecture, and for QEMU on x86 a note
/// with the PVH entry.
fn check_elf(target: &Target, path: &Path) -> Result<()> {
    let shown = path.display();
    let unusable = format!("{shown}: cannot use it as the kernel");
    let header = File::open(path)
        .map_err(anyhow::Error::from)
        .and_then(|file| elf::Header::read(file).map_err(Into::into))
        .with_context(|| {
            format!("{unusable}: its ELF header is invalid (build it again, or {OTHER_KERNEL})")
        })?;
    if !target.elf_machines.contains(&header.machine) {
        bail!(
            "{unusable}: it is an ELF file for {}, and the target is {} ({OTHER_KERNEL})",
            elf::machine_name(header.machine),
            target.name
        );
    }
    let needs_pvh = match &target.run_by {
        RunBy::Host if !header.user_mode => bail!(
            "{unusable}: it is a kernel for a machine, and the target is {}: user-mode Linux, built with \
             make ARCH=um ({OTHER_KERNEL})",
            target.name
        ),
        RunBy::Qemu(_) if header.user_mode => bail!(
            "{unusable}: it is user-mode Linux, a program of the host, and the target is {} \
             (boot it with --target um, or {OTHER_KERNEL})",
            target.name
        ),
        RunBy::Host => false,
        RunBy::Qemu(qemu) => qemu.needs_pvh,
    };
    if needs_pvh && !header.pvh && !header.multiboot {
        bail!(
            "{unusable}: it is an ELF file without a PVH entry, which QEMU needs to start it \
             (build it with CONFIG_PVH=y, or boot arch/x86/boot/bzImage of the same build: \
             --kernel FILE or BOOT_KERNEL=FILE)"
        );
    }
    Ok(())
}

/// Whether this kernel is user-mode Linux that can control its processes through seccomp(2) in place of ptrace(2).
pub fn has_seccomp(kernel: &Path) -> bool {
    let header = File::open(kernel).ok().map(elf::Header::read);
    matches!(header, Some(Ok(header)) if header.seccomp)
}

/// The first version of QEMU that unpacks an EFI zboot image.
const ZBOOT: (u32, u32) = (8, 0);

/// Fails if `qemu` is too old for `kernel`: it would start the image without unpacking it, and the guest
/// would print nothing.
pub fn check_qemu(inputs: &Inputs, kernel: &Path, qemu: &Path) -> Result<()> {
    if inputs.kernel != Format::Arm64Zboot {
        return Ok(());
    }
    match version(qemu) {
        Some(version) if version < ZBOOT => {
            let (major, minor) = version;
            let shown = kernel.display();
            let unpack = format::zboot_payload(kernel)
                .map(|(offset, size)| {
                    let file = quoted(&shown.to_string());
                    format!(
                        "tail -c +{} {file} | head -c {size} | gzip -dc >Image",
                        offset + 1
                    )
                })
                .unwrap_or_default();
            bail!(
                "{shown}: cannot use it as the kernel: it is {}, which QEMU unpacks since 8.0, and {} is QEMU \
                 {major}.{minor} (name a newer one with --qemu FILE or BOOT_QEMU=FILE, or unpack the Image in it: {unpack})",
                inputs.kernel,
                qemu.display(),
            )
        }
        // Without a version, starting QEMU shows the problem.
        _ => Ok(()),
    }
}

/// The version of `qemu`, from its output `QEMU emulator version 7.2.22 (Debian ...)`.
fn version(qemu: &Path) -> Option<(u32, u32)> {
    let output = Command::new(qemu).arg("--version").output().ok()?;
    parsed_version(&String::from_utf8_lossy(&output.stdout))
}

fn parsed_version(output: &str) -> Option<(u32, u32)> {
    let (_, version) = output.split_once("QEMU emulator version ")?;
    let mut numbers = version.split(['.', ' ', '\n']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn check_initrd(path: &Path, format: Format) -> Result<()> {
    let unusable = format!("{}: cannot use it as the initramfs: it is", path.display());
    match (format.role(), format.advice()) {
        (Role::Initramfs | Role::Unknown, _) => Ok(()),
        (_, Some(advice)) => bail!("{unusable} {format} ({advice}, or {OTHER_INITRD})"),
        (_, None) => bail!(
            "{unusable} {format}; an initramfs is a cpio archive (newc), compressed or not \
             ({OTHER_INITRD})"
        ),
    }
}

#[cfg(test)]
mod tests;
