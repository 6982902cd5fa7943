//! Runs a guest in QEMU.
//!
//! The input is a [`command::Vm`]. The output is QEMU's streams, its process id, and whether and why it ended or stopped.
//! QEMU never outlives boot.
//!
//! | module | subject |
//! | --- | --- |
//! | [`target`] | the table of targets and their machines |
//! | [`accel`] | tests KVM, and chooses the accelerator |
//! | [`tsc`] | measures the host's time stamp counter, for the guest |
//! | [`command`] | a virtual machine as QEMU's command line |
//! | [`sandbox`] | QEMU's sandbox |
//! | [`qemu`] | QEMU's process |
//! | [`reaper`] | the process between boot and QEMU, which ends QEMU and its children |
//! | [`stat`] | processes and threads in `/proc` |
//! | [`threads`] | the activity of QEMU's threads |
//! | [`qmp`] | QEMU's control channel |
//! | [`gdb`] | the connection of a debugger |

pub mod accel;
pub mod command;
pub mod gdb;
pub mod qemu;
pub mod qmp;
pub mod reaper;
pub mod sandbox;
pub mod stat;
pub mod target;
pub mod threads;
pub mod tsc;
