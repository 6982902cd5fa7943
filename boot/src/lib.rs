//! Runs a Linux guest in QEMU, reads its serial console, and says in words what happened.
//!
//! [`session::run::run`] starts the [`machine::command::Vm`] it is given, watches for the [`session::watch::Goal`], and
//! returns a [`verdict::Verdict`]. Nothing is left behind: not QEMU, not a terminal in raw mode,
//! whatever ends the caller.
//!
//! | module | subject |
//! | --- | --- |
//! | [`session`] | one boot, from its start to its verdict |
//! | [`profile`] | where its time went |
//! | [`verdict`] | what its end means |
//! | [`console`] | the guest's bytes |
//! | [`inspect`] | what the kernel and the initramfs are, by their contents |
//! | [`machine`] | how a guest is run |
//! | [`files`] | files to read and to write |
//! | [`streams`] | standard streams that wait |

#![deny(unsafe_code)] // The exceptions, in `machine`, say why.

pub mod console;
pub mod files;
pub mod inspect;
pub mod machine;
pub mod profile;
pub mod session;
pub mod streams;
pub mod verdict;
