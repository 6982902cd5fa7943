//! File formats, told by their first bytes.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::GzDecoder;

/// The examined length of a file, in bytes: a multiboot header must be within it.
const HEAD: u64 = 8192;

/// The possible use of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    Kernel,
    Initramfs,
    Neither,
    Unknown,
}

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The kernel's vmlinux, or a program.
    Elf,
    /// x86's compressed kernel, with its own loader (Documentation/arch/x86/boot.rst).
    BzImage,
    /// A kernel after the Multiboot specification, version 1.
    Multiboot,
    /// arm64's Image (Documentation/arch/arm64/booting.rst).
    Arm64Image,
    /// The same, compressed by gzip: QEMU unpacks it (load_aarch64_image() in its hw/arm/boot.c).
    Arm64ImageGz,
    /// arm64's Image in an EFI program that unpacks it (Linux' drivers/firmware/efi/libstub/zboot-header.S).
    /// So does QEMU, since 8.0.
    Arm64Zboot,
    /// The same for another architecture.
    Zboot,
    /// RISC-V's Image (Documentation/arch/riscv/boot-image-header.rst).
    RiscvImage,
    /// The one cpio format that the kernel unpacks.
    Newc,
    /// The cpio format before that.
    Odc,
    /// The cpio format before both.
    OldCpio,
    /// A file compressed by gzip.
    Gzip,
    /// A file compressed by bzip2.
    Bzip2,
    /// A file compressed by xz.
    Xz,
    /// A file compressed by lzma.
    Lzma,
    /// A file compressed by lzop.
    Lzo,
    /// A file compressed by lz4, in its legacy format.
    Lz4,
    /// A file compressed by lz4, in its present format, which the kernel cannot read.
    Lz4Frame,
    /// A file compressed by zstd.
    Zstd,
    /// A tar archive.
    Tar,
    /// A zip archive.
    Zip,
    /// A disk image of QEMU.
    Qcow2,
    /// A script with `#!`.
    Script,
    /// An EFI program.
    Efi,
    /// None of these.
    Unknown,
}

/// The magic bytes of the formats, with their offsets. The first matching row counts: a bzImage may also
/// be an EFI program.
const MAGIC: &[(usize, &[u8], Format)] = &[
    (0, b"\x7fELF", Format::Elf),
    (0x202, b"HdrS", Format::BzImage),
    (56, b"ARM\x64", Format::Arm64Image),
    (56, b"RSC\x05", Format::RiscvImage),
    (4, b"zimg", Format::Zboot),
    (0, b"MZ", Format::Efi),
    (0, b"070701", Format::Newc),
    // newc with checksums.
    (0, b"070702", Format::Newc),
    (0, b"070707", Format::Odc),
    (0, b"\xc7\x71", Format::OldCpio),
    (0, b"\x71\xc7", Format::OldCpio),
    (0, b"\x1f\x8b", Format::Gzip),
    (0, b"BZh", Format::Bzip2),
    (0, b"\xfd7zXZ", Format::Xz),
    (0, b"\x5d\0\0", Format::Lzma),
    (0, b"\x89LZO", Format::Lzo),
    (0, b"\x02\x21\x4c\x18", Format::Lz4),
    (0, b"\x04\x22\x4d\x18", Format::Lz4Frame),
    (0, b"\x28\xb5\x2f\xfd", Format::Zstd),
    (257, b"ustar", Format::Tar),
    (0, b"PK\x03\x04", Format::Zip),
    (0, b"QFI\xfb", Format::Qcow2),
    (0, b"#!", Format::Script),
];

impl Format {
    /// The format of `file`.
    pub fn of(file: &File) -> io::Result<Format> {
        let mut head = Vec::new();
        file.take(HEAD).read_to_end(&mut head)?;
        Ok(match Format::by_magic(&head) {
            Format::Gzip => {
                let mut inside = Vec::new();
                // Ignore errors: the kernel or QEMU reports a damaged file.
                let _ = GzDecoder::new(&head[..])
                    .take(HEAD)
                    .read_to_end(&mut inside);
                match Format::by_magic(&inside) {
                    Format::Arm64Image => Format::Arm64ImageGz,
                    _ => Format::Gzip,
                }
            }
            Format::Zboot if pe_machine(&head) == Some(ARM64) => Format::Arm64Zboot,
            Format::Unknown if multiboot(&head) => Format::Multiboot,
            format => format,
        })
    }

    fn by_magic(head: &[u8]) -> Format {
        let fits = |(offset, magic, _): &&(usize, &[u8], Format)| {
            head.get(*offset..).is_some_and(|at| at.starts_with(magic))
        };
        let row = MAGIC.iter().find(fits);
        row.map_or(Format::Unknown, |(_, _, format)| *format)
    }

    /// Its name and its possible use.
    fn about(self) -> (&'static str, Role) {
        match self {
            Format::Elf => ("an ELF file", Role::Kernel),
            Format::BzImage => ("a bzImage", Role::Kernel),
            Format::Multiboot => ("a multiboot kernel", Role::Kernel),
            Format::Arm64Image | Format::RiscvImage => ("an Image", Role::Kernel),
            Format::Arm64ImageGz => ("a gzipped Image", Role::Kernel),
            Format::Arm64Zboot => ("an EFI zboot image", Role::Kernel),
            Format::Zboot => ("an EFI zboot image for another CPU", Role::Kernel),
            Format::Newc => ("a cpio archive (newc)", Role::Initramfs),
            Format::Odc => ("a cpio archive (odc)", Role::Neither),
            Format::OldCpio => ("a cpio archive (old binary)", Role::Neither),
            Format::Gzip => ("compressed by gzip", Role::Initramfs),
            Format::Bzip2 => ("compressed by bzip2", Role::Initramfs),
            Format::Xz => ("compressed by xz", Role::Initramfs),
            Format::Lzma => ("compressed by lzma", Role::Initramfs),
            Format::Lzo => ("compressed by lzop", Role::Initramfs),
            Format::Lz4 => ("compressed by lz4", Role::Initramfs),
            Format::Lz4Frame => ("compressed by lz4", Role::Neither),
            Format::Zstd => ("compressed by zstd", Role::Initramfs),
            Format::Tar => ("a tar archive", Role::Neither),
            Format::Zip => ("a zip archive", Role::Neither),
            Format::Qcow2 => ("a disk image (qcow2)", Role::Neither),
            Format::Script => ("a script", Role::Neither),
            Format::Efi => ("an EFI program", Role::Neither),
            Format::Unknown => ("of no format that boot knows", Role::Unknown),
        }
    }

    /// Its possible use.
    pub(crate) fn role(self) -> Role {
        self.about().1
    }

    /// Advice for a file with the wrong format.
    pub(crate) fn advice(self) -> Option<&'static str> {
        match self {
            Format::Elf => Some("pack it as /init into an archive"),
            Format::Odc | Format::OldCpio => Some("the kernel takes only newc: cpio -H newc"),
            Format::Lz4Frame => Some("the kernel takes only lz4's legacy format: lz4 -l"),
            Format::Gzip
            | Format::Bzip2
            | Format::Xz
            | Format::Lzma
            | Format::Lzo
            | Format::Lz4
            | Format::Zstd => Some("unpack it"),
            _ => None,
        }
    }

    /// Its architecture, if it has only one.
    pub(crate) fn architecture(self) -> Option<&'static str> {
        match self {
            Format::BzImage => Some("x86"),
            Format::Arm64Image | Format::Arm64ImageGz | Format::Arm64Zboot => Some("aarch64"),
            Format::RiscvImage => Some("riscv"),
            _ => None,
        }
    }

    /// The names of `formats`, for a sentence.
    pub(crate) fn list(formats: &[Format]) -> String {
        let names: Vec<_> = formats.iter().map(Format::to_string).collect();
        match names.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            None => String::new(),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.about().0)
    }
}

/// arm64 in a PE file (`IMAGE_FILE_MACHINE_ARM64`).
const ARM64: u16 = 0xaa64;

/// The architecture of a PE file. It follows the signature, whose offset is at 0x3c.
fn pe_machine(head: &[u8]) -> Option<u16> {
    let offset = u32::from_le_bytes(head.get(0x3c..0x40)?.try_into().ok()?);
    let header = head.get(usize::try_from(offset).ok()?..)?;
    let machine = header.strip_prefix(b"PE\0\0")?.get(..2)?;
    Some(u16::from_le_bytes(machine.try_into().ok()?))
}

/// The offset and the size of the compressed image in an EFI zboot image.
pub(crate) fn zboot_payload(image: &Path) -> Option<(u32, u32)> {
    let mut header = [0; 16];
    File::open(image).ok()?.read_exact(&mut header).ok()?;
    let word = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("4 bytes"));
    Some((word(8), word(12)))
}

/// Whether there is a header of the Multiboot specification (section 3.1): magic, flags and a checksum,
/// whose sum is 0.
pub(crate) fn multiboot(head: &[u8]) -> bool {
    const MAGIC: u32 = 0x1bad_b002;
    let words: Vec<_> = head
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes(word.try_into().expect("4 bytes")))
        .collect();
    words.windows(3).any(|header| {
        header[0] == MAGIC
            && header
                .iter()
                .fold(0, |sum: u32, word| sum.wrapping_add(*word))
                == 0
    })
}

/// The version in a bzImage, such as `6.1.0-18-amd64` (`kernel_version` in Documentation/arch/x86/boot.rst). Nothing for
/// another format.
pub fn bzimage_version(mut kernel: File) -> io::Result<Option<String>> {
    let mut header = [0; 0x210];
    kernel.read_exact(&mut header)?;
    let offset = u16::from_le_bytes([header[0x20e], header[0x20f]]);
    if Format::by_magic(&header) != Format::BzImage || offset == 0 {
        return Ok(None);
    }
    kernel.seek(SeekFrom::Start(0x200 + u64::from(offset)))?;
    let mut text = Vec::new();
    kernel.take(256).read_to_end(&mut text)?;
    let version = text.split(|byte| !byte.is_ascii_graphic()).next();
    Ok(version.map(|version| String::from_utf8_lossy(version).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_a_multiboot_header_is_zero() {
        let header = |checksum: u32| {
            let words = [0, 0x1bad_b002, 3, checksum].map(u32::to_le_bytes);
            multiboot(&words.concat())
        };
        assert!(header(0x1bad_b005_u32.wrapping_neg()));
        assert!(!header(7));
        assert!(!multiboot(b"short"));
    }

    #[test]
    fn a_list_reads_as_a_sentence() {
        assert_eq!(Format::list(&[Format::Elf]), "an ELF file");
        assert_eq!(
            Format::list(&[Format::Elf, Format::BzImage, Format::Tar]),
            "an ELF file, a bzImage or a tar archive"
        );
    }
}
