//! Packs an initramfs, deterministically: same inputs, same bytes, whatever the file system, the
//! user, the clock or the umask.
//!
//! A [`Tree`] says what is to be in the archive, [`create`] makes a compressed image file of it, and
//! [`archive::write`] writes the bare archive to anything that implements [`std::io::Write`].
//!
//! ```
//! use packer::{Device, Entry, Kind, Tree, archive};
//!
//! let mut tree = Tree::new();
//! let console = Kind::CharDevice(Device::new(5, 1).unwrap());
//! tree.insert("/dev/console", Entry { mode: Some(0o600), kind: console })?;
//!
//! // `/dev` came with it: the kernel drops an entry whose parent is missing.
//! let bytes = archive::write(&tree, 0, Vec::new())?;
//! assert_eq!(bytes.len() % 512, 0);
//! # Ok::<(), packer::Error>(())
//! ```

#![forbid(unsafe_code)]

pub mod archive;
mod compress;
mod entry;
mod error;
mod image;
pub mod spec;
mod tree;

pub use compress::{Compression, Encoder};
pub use entry::{Device, Entry, Kind, MODE_MAX};
pub use error::Error;
pub use image::create;
pub use tree::Tree;
