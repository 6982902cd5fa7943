//! The manifest of an image: a description of its contents. `docs/manifest.md` describes the JSON.
//!
//! ```
//! use packer::{Entry, Kind, Manifest, Tree, archive};
//! # let mut tree = Tree::new();
//! # tree.insert("/etc/hostname", Entry::new(Kind::Contents { bytes: b"guest\n".to_vec() }))?;
//! # let image = archive::write(&tree, 0, Vec::new())?;
//!
//! let manifest = Manifest::of_image(&image[..])?;
//! assert_eq!(manifest.entries[1].path, "/etc/hostname");
//! let mut json = Vec::new();
//! manifest.write(&mut json).unwrap();
//! assert_eq!(Manifest::read_json(&json[..])?, manifest);
//! # Ok::<(), packer::Error>(())
//! ```

pub(crate) mod build;
mod json;

use crate::file_type::FileType;
use bstr::BString;
use serde::{Deserialize, Serialize};

/// The version of the schema. Readers refuse any other.
pub const VERSION: u32 = 1;

/// The archives, entries and hashes of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// [`VERSION`].
    pub version: u32,
    /// The file as a whole.
    pub image: ManifestImage,
    /// The archives, in the order of the image.
    pub archives: Vec<ManifestArchive>,
    /// The entries of all archives, in the order of the image. The kernel unpacks them in this order, so
    /// of two entries with the same path the later one counts.
    pub entries: Vec<ManifestEntry>,
    /// The store paths that were packed as parts of closures. Empty if the manifest was made by reading an
    /// image, because an image does not record them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub store_paths: Vec<StorePath>,
}

/// An image file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestImage {
    /// Bytes.
    pub size: u64,
    /// SHA-256 as SRI: `sha256-` and base64.
    pub hash: String,
}

/// An archive, which ends with a trailer and the NULs after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestArchive {
    /// The byte of the image where it begins. For a compressed archive, where its member begins.
    pub offset: u64,
    /// `none`, or the name of a [`Format`](crate::decompress::Format).
    pub compression: String,
    /// Uncompressed size in bytes, with the trailer and the NULs after it.
    pub size: u64,
    /// SHA-256 of the uncompressed bytes as SRI.
    pub hash: String,
}

/// An entry of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestEntry {
    /// Absolute path. In JSON, bytes that are not UTF-8, control characters and backslashes are escaped as
    /// by [`escape()`](crate::escape::escape).
    #[serde(with = "json::escaped")]
    pub path: BString,
    /// The index of its archive in [`Manifest::archives`].
    pub archive: usize,
    /// Permission bits; in JSON four octal digits.
    #[serde(with = "json::octal")]
    pub mode: u32,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Time of the last modification, in seconds since 1970.
    pub mtime: u32,
    /// File type, with the data of that type.
    #[serde(flatten)]
    pub kind: ManifestKind,
}

/// The file type of an entry, with the data of that type. In JSON, `type` is the file type, and the fields
/// are fields of the entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum ManifestKind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Size in bytes.
        size: u64,
        /// SHA-256 of the contents, 64 hexadecimal digits.
        sha256: String,
        /// The first name of the same file in the archive. `None` if this is the first name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[serde(with = "json::escaped_option")]
        hard_link_to: Option<BString>,
    },
    /// A symbolic link.
    Symlink {
        /// The path that it leads to. Escaped in JSON.
        #[serde(with = "json::escaped")]
        target: BString,
    },
    /// A character device.
    CharDevice {
        /// The driver.
        major: u32,
        /// Which of the driver's devices.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// The driver.
        major: u32,
        /// Which of the driver's devices.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

impl ManifestKind {
    /// The file type alone.
    pub(crate) fn file_type(&self) -> FileType {
        match self {
            Self::Directory => FileType::Directory,
            Self::File { .. } => FileType::File,
            Self::Symlink { .. } => FileType::Symlink,
            Self::CharDevice { .. } => FileType::CharDevice,
            Self::BlockDevice { .. } => FileType::BlockDevice,
            Self::Fifo => FileType::Fifo,
            Self::Socket => FileType::Socket,
        }
    }
}

/// A store path that was packed as part of a closure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StorePath {
    /// The path, such as `/nix/store/HASH-NAME`.
    pub path: String,
    /// SHA-256 of its NAR as SRI.
    pub nar_hash: String,
    /// Size of its NAR in bytes.
    pub nar_size: u64,
    /// The store paths that it refers to, sorted. It may refer to itself.
    pub references: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_is_one_object() {
        let entry = ManifestEntry {
            path: b"/a\xffb".into(),
            archive: 0,
            mode: 0o4755,
            uid: 1,
            gid: 2,
            mtime: 3,
            kind: ManifestKind::File {
                size: 4,
                sha256: "00".into(),
                hard_link_to: Some(b"/\n".into()),
            },
        };
        let json = json!({
            "path": r"/a\xffb", "archive": 0, "mode": "4755", "uid": 1, "gid": 2, "mtime": 3,
            "type": "file", "size": 4, "sha256": "00", "hardLinkTo": r"/\x0a",
        });
        assert_eq!(serde_json::to_value(&entry).unwrap(), json);
        assert_eq!(
            serde_json::from_value::<ManifestEntry>(json).unwrap(),
            entry
        );
    }
}
