//! Runs a Linux guest in QEMU, reads its serial console, and reports what happened in words.
//!
//! [`session::run::run`] starts a [`machine::command::Vm`], watches it until it reaches its
//! [`verdict::judge::Goal`] or fails, and returns a [`verdict::Verdict`]. Whatever ends the caller, no QEMU and
//! no terminal in raw mode remain.
//!
//! Modules import only from modules that stand below them here:
//!
//! | module | subject |
//! | --- | --- |
//! | `cli` (of the binary) | the arguments |
//! | [`session`] | one boot, from its start to its verdict |
//! | [`profile`] | how the boot spent its time |
//! | [`verdict`] | the reason of its end |
//! | [`console`] | the guest's serial console |
//! | [`inspect`] | checks of the kernel and the initramfs |
//! | [`program`] | a program in a guest |
//! | [`machine`] | runs the guest in QEMU |
//! | [`files`] | files to read and to write |
//! | [`streams`] | standard streams that wait |

#![deny(unsafe_code)] // The exceptions in `machine` and `program` explain themselves.

pub mod console;
pub mod files;
pub mod inspect;
pub mod machine;
pub mod profile;
pub mod program;
pub mod session;
pub mod streams;
pub mod verdict;
