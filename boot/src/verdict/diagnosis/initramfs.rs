//! Messages about unpacking the initramfs.

use super::{Cause, Row, Words, row};

const OLD_X86: &str = "arch/x86/kernel/setup.c, until 3.8";

pub(super) const MESSAGES: &[Row] = &[
    row(
        "Initramfs unpacking failed: ",
        unpacking,
        "init/initramfs.c",
    ),
    // With CONFIG_BLK_DEV_RAM.
    row(
        "rootfs image is not initramfs (",
        not_initramfs,
        "init/initramfs.c",
    ),
    // arm64, riscv, mips.
    row("INITRD: ", disabled, "init/initramfs.c"),
    row("initrd overwritten (", disabled, "init/main.c"),
    row(
        "Initrd not found or empty",
        disabled,
        "arch/mips/kernel/setup.c",
    ),
    row(
        "Initrd extends beyond end of memory",
        disabled,
        "arch/mips/kernel/setup.c",
    ),
    // um: the file of initrd= is missing. The same function looks for other files later, with other quotation marks.
    row(
        "Couldn't stat \"",
        |_| Some(Cause::InitramfsIgnored),
        "arch/um/os-Linux/file.c",
    ),
    row(
        "RAMDISK: EOF while reading compressed data",
        ram_disk,
        "init/do_mounts_rd.c",
    ),
    row(
        "RAMDISK: error while reading compressed data",
        ram_disk,
        "init/do_mounts_rd.c",
    ),
    // x86 before 3.9.
    row(
        "initrd extends beyond end of memory",
        |_| Some(Cause::InitramfsIgnored),
        OLD_X86,
    ),
    row(
        "initrd too large to handle, disabling initrd",
        |_| Some(Cause::InitramfsIgnored),
        OLD_X86,
    ),
];

/// The kernel's messages before it reads the initramfs: without CONFIG_BLK_DEV_RAM, and with it (init/initramfs.c).
pub const UNPACKING: &[&str] = &[
    "Unpacking initramfs...",
    "Trying to unpack rootfs image as initramfs...",
];

fn unpacking(reason: &str) -> Option<Cause> {
    Some(Cause::UnpackingFailed {
        reason: reason.to_owned(),
    })
}

/// `REASON); looks like an initrd`
fn not_initramfs(rest: &str) -> Option<Cause> {
    unpacking(rest.rsplit_once("); looks like an initrd")?.0)
}

fn ram_disk(_: &str) -> Option<Cause> {
    unpacking("the RAM disk cannot be read")
}

/// `... - disabling initrd`, `... - disabling it.`
fn disabled(rest: &str) -> Option<Cause> {
    rest.contains(" - disabling i")
        .then_some(Cause::InitramfsIgnored)
}

pub(super) fn unpacking_failed(reason: &str) -> Words {
    let why = meaning(reason);
    let sentence = format!("the kernel could not unpack the initramfs ({reason})");
    Words::new("unpacking-failed", sentence, why.help).because(why.meaning)
}

pub(super) fn ignored() -> Words {
    Words::new(
        "initramfs-ignored",
        "the kernel did not look at the initramfs, and found no init to run",
        "If a message of the kernel names the initrd or its file, it says why the kernel rejected the initramfs: the file is missing, \
         the boot loader passed none, or put it where there is no memory, or the guest has too little memory. If there is no such \
         message, the kernel was probably built without CONFIG_BLK_DEV_INITRD=y.",
    )
}

/// Why the kernel could not unpack the initramfs.
struct Unpacking {
    /// A part of the kernel's message.
    word: &'static str,
    meaning: &'static str,
    help: &'static str,
}

const fn unpacking_row(word: &'static str, meaning: &'static str, help: &'static str) -> Unpacking {
    Unpacking {
        word,
        meaning,
        help,
    }
}

fn meaning(reason: &str) -> &'static Unpacking {
    let matches = |row: &&Unpacking| reason.contains(row.word);
    // The last row matches everything.
    REASONS
        .iter()
        .find(matches)
        .unwrap_or(&REASONS[REASONS.len() - 1])
}

const TRUNCATED: &str = "it is cut short";
const TRUNCATED_HELP: &str = "Build it again, and check it with `gzip -t` or the like. A full disk or an interrupted download leaves a truncated file.";
const DAMAGED: &str = "some of its bytes have changed";
const DAMAGED_OR_CUT: &str = "some of its bytes have changed, or it is cut short";
const DAMAGED_HELP: &str = "Build it again, and check that its size and its checksum are the same where it is built and where it is booted: a full \
                            disk or an interrupted download leaves a truncated file. With \"no cpio magic\", it may be another kind of \
                            archive, such as a tar.";
const FOREIGN: &str =
    "it is neither a newc archive nor compressed in a format that the kernel knows";
const FOREIGN_HELP: &str = "Check the file for other data before the archive, after it or instead of it. An initramfs may consist of several \
                            archives with only zeros between them. lz4 must use its legacy format (lz4 -l). If the guest has little memory, the kernel may have overwritten the initramfs: give the \
                            guest more.";
const DECODING: &str = "some of its bytes have changed, or something follows it";
const DECODING_HELP: &str = "If zeros follow an archive in lz4's legacy format, some kernels take them for another block. Remove them, put the archive \
                             last, or use another compression. Newer kernels want at least four zeros between it and what follows. If nothing \
                             follows it, build the initramfs again.";
const NO_MEMORY: &str = "there is no memory left for it";
const NO_MEMORY_HELP: &str = "Give the guest more memory with --memory: the kernel holds the packed archive and the unpacked files.";

/// The messages of `init/initramfs.c` and `lib/decompress_*.c`, from special to general.
#[rustfmt::skip] // A table.
const REASONS: &[Unpacking] = &[
    unpacking_row("not configured", "this kernel cannot decompress it",
        "Compress the initramfs in a format that the kernel supports (usually gzip), or build the kernel with support for this \
         format: CONFIG_RD_GZIP, CONFIG_RD_ZSTD, CONFIG_RD_XZ, ..."),
    unpacking_row("incorrect cpio method", "it is an archive, but not in newc format", "Build it with packer or `cpio -o -H newc`."),
    unpacking_row("invalid magic at start", FOREIGN, FOREIGN_HELP),
    unpacking_row("wrong magic bytes", FOREIGN, FOREIGN_HELP),
    unpacking_row("Not a gzip file", FOREIGN, FOREIGN_HELP),
    unpacking_row("not supported by this", "it is compressed with settings that the kernel does not know", "Run xz with --check=crc32, the only check that the kernel supports."),
    unpacking_row("too large a window", "it is compressed with settings that take too much memory", "Run zstd with a lower level, and without --ultra and --long."),
    unpacking_row("Out of memory", NO_MEMORY, NO_MEMORY_HELP),
    unpacking_row("ran out of memory", NO_MEMORY, NO_MEMORY_HELP),
    unpacking_row("Could not allocate", NO_MEMORY, NO_MEMORY_HELP),
    unpacking_row("write error", NO_MEMORY, NO_MEMORY_HELP),
    unpacking_row("read error", TRUNCATED, TRUNCATED_HELP),
    unpacking_row("unexpected EOF", TRUNCATED, TRUNCATED_HELP),
    unpacking_row("ends unexpectedly", TRUNCATED, TRUNCATED_HELP),
    unpacking_row("truncated", TRUNCATED, TRUNCATED_HELP),
    unpacking_row("incomplete", TRUNCATED, TRUNCATED_HELP),
    unpacking_row("Decoding failed", DECODING, DECODING_HELP),
    unpacking_row("junk at the end", "the archive does not end where its compression does", TRUNCATED_HELP),
    // xz's decoder does not tell these apart.
    unpacking_row("XZ-compressed data is corrupt", DAMAGED_OR_CUT, DAMAGED_HELP),
    unpacking_row("", DAMAGED, DAMAGED_HELP),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_of_a_failed_unpacking_has_its_meaning() {
        // From the kernel's sources.
        for (reason, meaning) in [
            (
                "compression method zstd not configured",
                "this kernel cannot decompress it",
            ),
            (
                "incorrect cpio method used: use -H newc option",
                "not in newc format",
            ),
            ("no cpio magic", DAMAGED),
            ("broken padding", DAMAGED),
            ("malformed archive", DAMAGED),
            ("bad data checksum", DAMAGED),
            ("junk within compressed archive", DAMAGED),
            (
                "junk at the end of compressed archive",
                "does not end where",
            ),
            ("decompressor failed", DAMAGED),
            ("invalid magic at start of compressed archive", FOREIGN),
            // gzip, bzip2, lzma, lzo, lz4
            ("uncompression error", DAMAGED),
            ("read error", TRUNCATED),
            ("write error", NO_MEMORY),
            ("Out of memory while allocating workspace", NO_MEMORY),
            ("Data integrity error when decompressing.", DAMAGED),
            ("Compressed file ends unexpectedly", TRUNCATED),
            ("unexpected EOF", TRUNCATED),
            ("LZMA data is corrupt", DAMAGED),
            ("file corrupted", DAMAGED),
            ("Could not allocate output buffer", NO_MEMORY),
            ("data corrupted", DAMAGED),
            ("Decoding failed", DECODING),
            // xz, zstd
            ("XZ decompressor ran out of memory", NO_MEMORY),
            ("Input is not in the XZ format (wrong magic bytes)", FOREIGN),
            (
                "Input was encoded with settings that are not supported by this XZ decoder",
                "settings that the kernel does not know",
            ),
            ("XZ-compressed data is corrupt", DAMAGED),
            ("ZSTD-compressed data is truncated", TRUNCATED),
            (
                "ZSTD-compressed data has an incomplete frame header",
                TRUNCATED,
            ),
            (
                "ZSTD-compressed data has too large a window size",
                "take too much memory",
            ),
            ("ZSTD-compressed data is probably corrupt", DAMAGED),
        ] {
            let row = super::meaning(reason);
            assert!(row.meaning.contains(meaning), "{reason}: {}", row.meaning);
            assert!(!row.help.is_empty());
        }
    }
}
