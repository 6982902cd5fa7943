//! Runs a Linux guest in QEMU, reads its serial console, and says in words what happened.
//!
//! [`run::run`] starts the [`command::Vm`] it is given, watches for the [`watch::Goal`], and
//! returns a [`verdict::Verdict`]. Nothing is left behind: not QEMU, not a terminal in raw mode,
//! whatever ends the caller.
//!
//! | module | subject |
//! | --- | --- |
//! | [`target`] | the table of what can be booted, and how |
//! | [`command`] | a virtual machine as QEMU's command line |
//! | [`console`] | what the guest says: the expected text, a panic, the last line |
//! | [`keys`] | what the user types that is not for the guest |
//! | [`watch`] | when to stop watching |
//! | [`judge`] | what that means |
//! | [`verdict`] | the outcome as a sentence and as an exit code |
//! | [`input`] | files, looked at before QEMU is started |
//! | [`qemu`] | the process, which never outlives its starter |
//! | [`stderr`] | what boot and QEMU have to say beside the guest |
//! | [`terminal`] | raw mode, which is always undone |
//! | [`events`] | the threads, each of which waits for one thing |
//! | [`run`] | the loop that joins them all |

#![deny(unsafe_code)] // The one exception, in `qemu`, says why.

pub mod command;
pub mod console;
pub mod events;
pub mod input;
pub mod judge;
pub mod keys;
pub mod qemu;
pub mod run;
pub mod stderr;
pub mod target;
pub mod terminal;
pub mod verdict;
pub mod watch;
