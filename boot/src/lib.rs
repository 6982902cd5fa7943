//! Runs a Linux guest in QEMU or as user-mode Linux, reads its console, and reports what happened in words.
//!
//! [`session::run::run`] starts a [`machine::vm::Vm`], watches it until it reaches its
//! [`verdict::judge::Goal`] or fails, and returns a [`verdict::Verdict`]. [`session::program::run`] does the same for a
//! program in a guest. Whatever ends the caller, no guest and no terminal in raw mode remain.
//!
//! Modules import only from modules that stand below them here:
//!
//! | module | subject |
//! | --- | --- |
//! | `cli` (of the binary) | the arguments |
//! | [`matrix`] | many runs of programs, in all combinations |
//! | [`explain`] | verdicts for the logs of others |
//! | [`session`] | one boot, from its start to its verdict |
//! | [`profile`] | how the boot spent its time |
//! | [`verdict`] | the reason of its end |
//! | [`console`] | the guest's console |
//! | [`inspect`] | checks of the kernel and the initramfs |
//! | [`program`] | a program in a guest |
//! | [`machine`] | runs the guest, in QEMU or as user-mode Linux |
//! | [`files`] | files to read and to write |
//! | [`streams`] | standard streams that wait |

#![deny(unsafe_code)] // The exceptions in `machine` explain themselves.

pub mod console;
pub mod explain;
pub mod files;
pub mod inspect;
pub mod machine;
pub mod matrix;
pub mod profile;
pub mod program;
pub mod session;
pub mod streams;
pub mod verdict;
