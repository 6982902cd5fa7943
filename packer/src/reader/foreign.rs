//! Recognises files that are not initramfs images, to explain the error.

/// A format that users confuse with an image.
struct Foreign {
    /// The offset of its magic.
    offset: usize,
    magic: &'static [u8],
    name: &'static str,
    /// What the user can do.
    advice: &'static str,
}

const fn row(
    offset: usize,
    magic: &'static [u8],
    name: &'static str,
    advice: &'static str,
) -> Foreign {
    Foreign {
        offset,
        magic,
        name,
        advice,
    }
}

const KERNEL: &str = "its initramfs is a separate file, or built into the kernel";
const UKI: &str = "`objcopy -O binary --only-section=.initrd IMAGE OUT` takes the initramfs out of a unified kernel image";
const DISK: &str =
    "mount or unpack it, and look for the initramfs in it: /boot, /casper, /isolinux, /live";
const FILES: &str = "unpack it, and make an image of the files with `packer create OUT --tree DIR`";
pub(super) const CONVERT: &str =
    "Linux knows only newc; `packer convert IMAGE OUT` makes an image of it";
const PROGRAM: &str = "`packer create OUT --file /init=IMAGE` makes an image of it";

/// The first match counts. If a format has two magics, the more specific one comes first.
#[rustfmt::skip] // A table.
const FOREIGN: &[Foreign] = &[
    row(0x202, b"HdrS", "a Linux kernel (bzImage)", KERNEL),
    row(0x38, b"ARM\x64", "a Linux kernel (arm64)", KERNEL),
    row(0x38, b"RSC\x05", "a Linux kernel (riscv)", KERNEL),
    row(4, b"zimg", "a Linux kernel (EFI zboot)", KERNEL),
    row(0, b"MZ", "an EFI program", UKI),
    row(0, b"\x7fELF", "an ELF file", PROGRAM),
    row(0, b"#!", "a script", PROGRAM),
    row(257, b"ustar", "a tar archive", FILES),
    row(0, b"PK\x03\x04", "a zip archive", FILES),
    row(0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", FILES),
    row(0, b"\xc7\x71", "a cpio archive in the old binary format, little-endian", CONVERT),
    row(0, b"\x71\xc7", "a cpio archive in the old binary format, big-endian", CONVERT),
    row(0, b"\r\0\0\0\0\0\0\0nix-archive-1", "a NAR", "`nix-store --restore DIR <IMAGE` unpacks it"),
    row(0, b"\xed\xab\xee\xdb", "an RPM package", "`rpm2cpio IMAGE >OUT` makes an archive of it"),
    row(0, b"!<arch>\ndebian-binary", "a Debian package", "`dpkg-deb -x IMAGE DIR` unpacks it"),
    row(0, b"!<arch>\n", "an ar archive", "`ar x IMAGE` unpacks it"),
    row(0x8001, b"CD001", "an ISO 9660 image", DISK),
    row(0, b"hsqs", "a squashfs file system", FILES),
    row(0x400, b"\xe2\xe1\xf5\xe0", "an EROFS file system", DISK),
    row(0, b"\x45\x3d\xcd\x28", "a cramfs file system", DISK),
    row(0, b"-rom1fs-", "a romfs file system", DISK),
    row(0, b"XFSB", "an XFS file system", DISK),
    row(0x438, b"\x53\xef", "an ext2, ext3 or ext4 file system", DISK),
    row(0, b"QFI\xfb", "a qcow2 disk", DISK),
    row(0x200, b"EFI PART", "a disk with a GPT", DISK),
    row(0x1fe, b"\x55\xaa", "a disk with a boot sector", DISK),
    row(0, b"\x27\x05\x19\x56", "a U-Boot image", "`tail -c +65 IMAGE >OUT` takes off its header"),
    row(0, b"\xd0\x0d\xfe\xed", "a device tree or a FIT image", "`dumpimage -l IMAGE` says what is in it"),
    row(0, b"ANDROID!", "an Android boot image", "`unpack_bootimg --boot_img IMAGE` takes the ramdisk out of it"),
    row(0, b"\x04\x22\x4d\x18", "lz4's own frame, which Linux does not know", "`lz4 -dc <IMAGE >OUT` unpacks it"),
    row(0, b"{\n  \"version\": ", "a manifest", "name the image that it describes"),
];

/// The number of bytes that suffices to recognise any of them.
pub(super) const ENOUGH: usize = 0x8001 + 5;

/// Recognises the data at byte `begin` of the file. Returns its name and what to do. `start` is the beginning
/// of the data, without its first `skipped` bytes, which are NULs.
pub(super) fn identify(start: &[u8], begin: u64, skipped: u64) -> Option<String> {
    let fits = |foreign: &&Foreign| {
        let offset = (foreign.offset as u64).checked_sub(skipped);
        let rest = offset.and_then(|offset| start.get(offset as usize..));
        rest.is_some_and(|rest| rest.starts_with(foreign.magic))
    };
    let Foreign { name, advice, .. } = FOREIGN.iter().find(fits)?;
    Some(match begin {
        0 => format!("{name}; {advice}"),
        begin => format!(
            "{name}; with `tail -c +{} IMAGE >REST`, {}",
            begin + 1,
            advice.replace("IMAGE", "REST")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decompress::detect;

    #[test]
    fn each_is_known_by_its_magic() {
        for foreign in FOREIGN {
            let begin = foreign.offset;
            let mut file = vec![b'x'; ENOUGH];
            file[begin..begin + foreign.magic.len()].copy_from_slice(foreign.magic);
            let found = identify(&file, 0, 0).unwrap();
            assert!(found.starts_with(foreign.name), "{found}");
            // Neither Linux takes it for compressed data, nor packer for an archive.
            assert!(detect(foreign.magic).is_none() && !foreign.magic.starts_with(b"0"));
        }
        assert_eq!(identify(&[b'x'; ENOUGH], 0, 0), None);
        assert_eq!(identify(b"", 0, 0), None);
    }

    #[test]
    fn what_comes_after_an_archive_has_to_be_taken_out() {
        let found = identify(b"\x04\x22\x4d\x18", 512, 0).unwrap();
        let expected = "with `tail -c +513 IMAGE >REST`, `lz4 -dc <REST >OUT` unpacks it";
        assert!(found.ends_with(expected), "{found}");
    }

    #[test]
    fn nuls_may_come_first() {
        // Where an ISO 9660 image is not for booting from a disk, its first 32 KiB are NULs.
        let found = identify(b"\x01CD001", 0, 0x8000).unwrap();
        assert!(found.starts_with("an ISO"), "{found}");
        assert_eq!(identify(b"MZ", 0, 4), None);
    }
}
