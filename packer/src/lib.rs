//! Packs an initramfs, deterministically: same inputs, same bytes, whatever the file system, the
//! user, the clock, the umask or the number of cores.
//!
//! A [`Tree`] says what is to be in the archive, [`create`] makes a compressed image file of it, and
//! [`archive::write`] writes the bare archive to anything that implements [`std::io::Write`].
//!
//! ```
//! use packer::{Device, Entry, Kind, Tree, archive};
//!
//! let mut tree = Tree::new();
//! let console = Kind::CharDevice(Device::new(5, 1).unwrap());
//! tree.insert("/dev/console", Entry::new(console))?;
//!
//! // `/dev` came with it: the kernel drops an entry whose parent is missing.
//! let bytes = archive::write(&tree, 0, Vec::new())?;
//! assert_eq!(bytes.len() % 512, 0);
//! # Ok::<(), packer::Error>(())
//! ```

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)] // The caller prints.

pub mod archive;
pub mod closure;
mod compress;
pub mod cpio_list;
mod create;
pub mod decompress;
pub mod diff;
mod entry;
mod error;
pub mod escape;
pub mod extract;
mod file_type;
mod lost;
pub mod manifest;
pub mod newc;
pub mod output;
mod paths;
pub mod reader;
mod rootfs;
mod source;
pub mod spec;
mod tree;
pub mod verify;
mod walk;

pub use compress::{Compression, Encoder};
pub use create::{CreateOptions, create};
pub use entry::{Device, Entry, Kind, MODE_MAX, Owner};
pub use error::Error;
pub use lost::lost;
pub use manifest::{Manifest, StorePath};
pub use tree::Tree;
