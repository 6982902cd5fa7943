//! Makes and reads initramfs images.
//!
//! What it makes is deterministic: the same inputs give the same bytes. The file system, the user, the clock, the umask
//! and the number of cores do not matter. It reads images as Linux does, in all formats that Linux decompresses.
//!
//! | To | use |
//! | --- | --- |
//! | collect what to pack | [`Tree`], with [`program`], [`closure`], [`kernel_modules`], [`cpio_list`] and [`spec`] |
//! | make an image file, perhaps of several archives | [`create`] |
//! | write a bare archive to any [`Write`](std::io::Write) | [`archive::write`] |
//! | compress and decompress one member | [`Compression::encoder`], [`decompress::Decoder`] |
//! | read an image entry by entry | [`reader::Reader`] |
//! | see its archives | [`segments::read`] |
//! | extract it, or one of its files | [`extract::extract`], [`cat::cat`] |
//! | describe it, and compare two | [`Manifest`], [`diff::compare`] |
//! | see what Linux would not unpack, or what stops the boot | [`verify::verify`], [`verify::verify_boot`] |
//! | make an image of an archive in an old format of cpio | [`convert::convert`] |
//!
//! An entry has three types, one for each way it is used:
//!
//! | Type | Use |
//! | --- | --- |
//! | [`Entry`] | an entry of a [`Tree`], which is to be packed |
//! | [`CpioEntry`](reader::CpioEntry) | an entry as the [`Reader`](reader::Reader) finds it in an image |
//! | [`ManifestEntry`](manifest::ManifestEntry) | an entry of a [`Manifest`], the JSON description of an image |
//!
//! ```
//! use packer::{Device, Entry, Kind, Tree, archive};
//!
//! let mut tree = Tree::new();
//! let console = Kind::CharDevice(Device::new(5, 1).unwrap());
//! tree.insert("/dev/console", Entry::new(console))?;
//!
//! // `insert` added `/dev`, too: the kernel drops an entry whose parent is missing.
//! let bytes = archive::write(&tree, 0, Vec::new())?;
//! assert_eq!(bytes.len() % 512, 0);
//! # Ok::<(), packer::Error>(())
//! ```

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)] // Only the caller prints.

pub mod archive;
pub mod bootable;
pub mod cat;
pub mod closure;
mod compress;
pub mod convert;
pub mod cpio_list;
mod create;
pub mod decompress;
pub mod diff;
pub mod early;
mod entry;
mod error;
pub mod escape;
pub mod extract;
mod file_type;
pub mod kernel_modules;
mod lost;
pub mod manifest;
pub mod newc;
pub mod output;
mod paths;
pub mod pattern;
pub mod program;
pub mod reader;
mod rootfs;
pub mod segments;
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
pub use walk::DirectoryOptions;
