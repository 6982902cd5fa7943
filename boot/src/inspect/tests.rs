use std::fs;
use std::io::Write;

use super::*;

/// The result of `inputs` for files with these contents, without the directory in the error.
fn inspected(kernel: &[u8], initrd: &[u8]) -> Result<Inputs, String> {
    inspected_for("x86_64", kernel, initrd)
}

fn inspected_for(target: &str, kernel: &[u8], initrd: &[u8]) -> Result<Inputs, String> {
    let target = Target::named(target).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let [k, i] = ["k", "i"].map(|name| directory.path().join(name));
    fs::write(&k, kernel).unwrap();
    fs::write(&i, initrd).unwrap();
    let prefix = format!("{}/", directory.path().display());
    inputs(target, &k, &i).map_err(|error| format!("{error:#}").replace(&prefix, ""))
}

fn bz_image() -> Vec<u8> {
    let mut image = vec![0; 0x400];
    image[0x202..0x206].copy_from_slice(b"HdrS");
    image
}

/// arm64's or RISC-V's, by its magic.
fn image(magic: &[u8; 4]) -> Vec<u8> {
    let mut image = vec![0; 64];
    image[56..60].copy_from_slice(magic);
    image
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    // More than the examined length.
    gzip.write_all(bytes).unwrap();
    gzip.write_all(&[b'x'; 100_000]).unwrap();
    gzip.finish().unwrap()
}

/// An EFI zboot image for that architecture.
fn zboot(machine: u16) -> Vec<u8> {
    let mut image = vec![0; 0x80];
    image[..2].copy_from_slice(b"MZ");
    image[4..8].copy_from_slice(b"zimg");
    image[24..28].copy_from_slice(b"gzip");
    image[0x3c] = 0x40;
    image[0x40..0x44].copy_from_slice(b"PE\0\0");
    image[0x44..0x46].copy_from_slice(&machine.to_le_bytes());
    image
}

const NEWC: &[u8] = b"070701 and so on";

#[test]
fn bootable_files_pass() {
    for kernel in [bz_image(), elf::tests::kernel(62, true)] {
        inspected(&kernel, NEWC).unwrap();
    }
    // A 32-bit kernel runs on a 64-bit CPU.
    inspected(&elf::tests::kernel(3, true), NEWC).unwrap();
    let arm64 = image(b"ARM\x64");
    for kernel in [arm64.clone(), gzip(&arm64), zboot(0xaa64)] {
        inspected_for("aarch64", &kernel, NEWC).unwrap();
    }
    for initrd in [NEWC, b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", &[0; 600], b"?"] {
        inspected(&bz_image(), initrd).unwrap();
    }
}

#[test]
fn a_kernel_without_pvh_is_refused_with_advice() {
    let error = inspected(&elf::tests::kernel(62, false), NEWC).unwrap_err();
    assert_eq!(
        error,
        "k: cannot use it as the kernel: it is an ELF file without a PVH entry, which QEMU \
         needs to start it (build it with CONFIG_PVH=y, or boot arch/x86/boot/bzImage of the \
         same build: --kernel FILE or BOOT_KERNEL=FILE)"
    );
}

#[test]
fn another_architecture_is_named() {
    let elf = |machine| elf::tests::kernel(machine, false);
    for (target, kernel, part) in [
        (
            "x86_64",
            elf(183),
            "it is an ELF file for aarch64, and the target is x86_64",
        ),
        (
            "x86_64",
            elf(9999),
            "it is an ELF file for machine 9999, and",
        ),
        (
            "x86_64",
            image(b"ARM\x64"),
            "it is an Image, for aarch64; the target is x86_64",
        ),
        (
            "aarch64",
            bz_image(),
            "it is a bzImage, for x86; the target is aarch64",
        ),
        (
            "aarch64",
            image(b"RSC\x05"),
            "it is an Image, for riscv; the target is aarch64",
        ),
        (
            "x86_64",
            gzip(&image(b"ARM\x64")),
            "it is a gzipped Image, for aarch64; the target is x86_64",
        ),
        (
            "x86_64",
            zboot(0xaa64),
            "it is an EFI zboot image, for aarch64; the target is x86_64",
        ),
        (
            "aarch64",
            zboot(0x5064),
            "it is an EFI zboot image for another CPU; a kernel for aarch64 is an Image, a gzipped Image or an EFI zboot image",
        ),
        (
            "aarch64",
            gzip(NEWC),
            "it is compressed by gzip (unpack it, or name another",
        ),
        (
            "aarch64",
            elf(62),
            "it is an ELF file for x86_64, and the target is aarch64",
        ),
    ] {
        let error = inspected_for(target, &kernel, NEWC).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn an_elf_file_is_not_booted_by_every_machine() {
    let error = inspected_for("aarch64", &elf::tests::kernel(183, false), NEWC).unwrap_err();
    let part = "it is an ELF file; a kernel for aarch64 is an Image,";
    assert!(error.contains(part), "{error}");
}

#[test]
fn a_file_that_is_not_a_kernel_is_named() {
    for (kernel, part) in [
        (
            &b"\x1f\x8b\x08 vmlinux.gz"[..],
            "compressed by gzip (unpack it, or name another",
        ),
        (
            NEWC,
            "it is a cpio archive (newc); a kernel for x86_64 is an ELF file",
        ),
        (b"#!/bin/sh\n", "it is a script; a kernel"),
        (
            b"hello",
            "it is of no format that boot knows; a kernel for x86_64 is an ELF file, a bzImage or a multiboot kernel (name another",
        ),
        (b"\x7fELF", "its ELF header is invalid"),
        (b"", "it is of no format"),
    ] {
        let error = inspected(kernel, NEWC).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_file_that_is_not_an_initramfs_is_named() {
    for (initrd, part) in [
        (
            &b"\x7fELF\x02"[..],
            "it is an ELF file (pack it as /init into an archive",
        ),
        (
            b"070707",
            "it is a cpio archive (odc) (the kernel takes only newc: cpio -H newc",
        ),
        (b"\xc7\x71", "(the kernel takes only newc"),
        (
            b"\x04\x22\x4d\x18",
            "(the kernel takes only lz4's legacy format: lz4 -l",
        ),
        (
            b"#!/bin/sh",
            "it is a script; an initramfs is a cpio archive",
        ),
    ] {
        let error = inspected(&bz_image(), initrd).unwrap_err();
        assert!(
            error.starts_with("i: cannot use it as the initramfs: "),
            "{error}"
        );
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_qemu_too_old_for_the_kernel_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let kernel = directory.path().join("k");
    let mut image = zboot(0xaa64);
    image[8..16].copy_from_slice(&[0x40, 1, 0, 0, 7, 0, 0, 0]);
    fs::write(&kernel, image).unwrap();
    let inputs = Inputs {
        kernel: Format::Arm64Zboot,
        initrd: Format::Newc,
    };
    // This program prints no such version.
    check_qemu(&inputs, &kernel, Path::new("true")).unwrap();
    assert_eq!(format::zboot_payload(&kernel), Some((0x140, 7)));
    for (said, version) in [
        (
            "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg)\nCopyright",
            Some((7, 2)),
        ),
        ("QEMU emulator version 10.0.2\n", Some((10, 0))),
        ("QEMU emulator version x", None),
        ("", None),
    ] {
        assert_eq!(parsed_version(said), version, "{said}");
    }
}

#[test]
fn swapped_files_are_noticed() {
    assert_eq!(
        inspected(b"\x1f\x8b\x08", &bz_image()).unwrap_err(),
        "--kernel and --initrd are swapped: k is compressed by gzip, and i is a bzImage"
    );
    let error = inspected(NEWC, &elf::tests::kernel(62, true)).unwrap_err();
    assert!(error.contains("are swapped"), "{error}");
}
