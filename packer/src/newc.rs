//! The header of an entry in cpio's newc format.
//!
//! The kernel documents the format in `Documentation/driver-api/early-userspace/buffer-format.rst` and
//! reads it in `init/initramfs.c`. An entry consists of a header, the path with a NUL, and the contents.
//! NULs after the path and after the contents pad them to a multiple of 4 bytes, counted from the start
//! of the archive. An entry named `TRAILER!!!` ends the archive.
//!
//! ```
//! use packer::newc::Header;
//!
//! let header = Header { mode: 0o100644, nlink: 1, namesize: 5, ..Header::default() };
//! let bytes = header.encode();
//! let has_checksums = false;
//! assert_eq!(Header::decode(&bytes), Some((header, has_checksums)));
//! ```

/// The size of a header in bytes.
pub const LEN: usize = 110;

/// Path and contents are padded to a multiple of this many bytes.
pub const ALIGN: u64 = 4;

/// The name of the entry that ends an archive.
pub const TRAILER: &[u8] = b"TRAILER!!!";

/// The file type bits of a mode, inode(7).
pub const S_IFMT: u32 = 0o170000;

const MAGIC: &[u8; 6] = b"070701";
/// The magic of the variant with checksums.
const MAGIC_CHECKSUM: &[u8; 6] = b"070702";

/// The fields in their order. Each is written as 8 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Inode number. Entries with the same number on the same device are names of one file.
    pub ino: u32,
    /// File type and permission bits as in `st_mode`.
    pub mode: u32,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Link count: how many names the file has.
    pub nlink: u32,
    /// Time of the last modification, in seconds since 1970.
    pub mtime: u32,
    /// Size of the contents in bytes.
    pub filesize: u32,
    /// Major number of the device that held the file.
    pub devmajor: u32,
    /// Minor number of the device that held the file.
    pub devminor: u32,
    /// Major number of a device node.
    pub rdevmajor: u32,
    /// Minor number of a device node.
    pub rdevminor: u32,
    /// Size of the path in bytes, with its NUL.
    pub namesize: u32,
    /// In the variant with checksums, the sum of the contents' bytes modulo 2^32. Otherwise 0.
    pub check: u32,
}

impl Header {
    /// The header as bytes, in the variant without checksums.
    pub fn encode(&self) -> [u8; LEN] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut bytes = [0; LEN];
        bytes[..6].copy_from_slice(MAGIC);
        for (field, value) in bytes[6..].chunks_exact_mut(8).zip(self.fields()) {
            for (digit, shift) in field.iter_mut().zip((0..32).step_by(4).rev()) {
                *digit = DIGITS[(value >> shift) as usize & 15];
            }
        }
        bytes
    }

    /// The header in `bytes`, and whether it is of the variant with checksums. `None` if the magic is
    /// wrong or a field is not hexadecimal.
    pub fn decode(bytes: &[u8; LEN]) -> Option<(Self, bool)> {
        let checksum = match &bytes[..6] {
            magic if magic == MAGIC => false,
            magic if magic == MAGIC_CHECKSUM => true,
            _ => return None,
        };
        let mut fields = [0; 13];
        for (field, digits) in fields.iter_mut().zip(bytes[6..].chunks_exact(8)) {
            for &digit in digits {
                *field = (*field << 4) | char::from(digit).to_digit(16)?;
            }
        }
        let [ino, mode, uid, gid, nlink, mtime, filesize, rest @ ..] = fields;
        let [devmajor, devminor, rdevmajor, rdevminor, namesize, check] = rest;
        let header = Self {
            ino,
            mode,
            uid,
            gid,
            nlink,
            mtime,
            filesize,
            devmajor,
            devminor,
            rdevmajor,
            rdevminor,
            namesize,
            check,
        };
        Some((header, checksum))
    }

    fn fields(&self) -> [u32; 13] {
        [
            self.ino,
            self.mode,
            self.uid,
            self.gid,
            self.nlink,
            self.mtime,
            self.filesize,
            self.devmajor,
            self.devminor,
            self.rdevmajor,
            self.rdevminor,
            self.namesize,
            self.check,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let mut bytes =
            *b"070701000000010000000200000003000000040000000500000006000000070000000800000009\
            0000000a0000000bfffffffe0000000d";
        let (header, checksum) = Header::decode(&bytes).unwrap();
        assert!(!checksum);
        assert_eq!((header.ino, header.gid, header.check), (1, 4, 13));
        assert_eq!(header.namesize, u32::MAX - 1);
        assert_eq!(header.encode(), bytes);

        bytes[5] = b'2';
        assert_eq!(Header::decode(&bytes), Some((header, true)));
        bytes[5] = b'7'; // The old portable format, which the kernel does not read.
        assert_eq!(Header::decode(&bytes), None);
        bytes[5] = b'1';
        for byte in [b'g', b' ', b'+', 0, 0xff] {
            bytes[20] = byte;
            assert_eq!(Header::decode(&bytes), None, "{byte}");
        }
    }
}
