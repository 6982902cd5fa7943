//! Runs a guest, in QEMU or as user-mode Linux.
//!
//! The input is a [`vm::Vm`]. The output is the streams of its process, the process id, and whether and why it ended or
//! stopped. The process never outlives boot.
//!
//! | module | subject |
//! | --- | --- |
//! | [`target`] | the table of targets and their machines |
//! | [`vm`] | a guest that is ready to start |
//! | [`qemu`] | a virtual machine as QEMU's command line |
//! | [`network`] | the network of a guest in QEMU |
//! | [`attached`] | the devices that the user attaches to a guest in QEMU |
//! | [`user_mode`] | user-mode Linux as a command line |
//! | [`ptrace`] | tests what user-mode Linux needs of the host |
//! | [`accel`] | tests KVM, and chooses the accelerator |
//! | [`tsc`] | measures the host's time stamp counter, for the guest |
//! | [`sandbox`] | QEMU's sandbox |
//! | [`process`] | the process of a guest |
//! | [`reaper`] | the process between boot and that process, which ends it and its children |
//! | [`terminal`] | a console that is a terminal |
//! | [`stat`] | processes and threads in `/proc` |
//! | [`threads`] | the activity of a guest's threads |
//! | [`qmp`] | QEMU's control channel |
//! | [`gdb`] | the connection of a debugger |

pub mod accel;
pub mod attached;
pub mod gdb;
pub mod network;
pub mod process;
pub mod ptrace;
pub mod qemu;
pub mod qmp;
pub mod reaper;
pub mod sandbox;
pub mod stat;
pub mod target;
pub mod terminal;
pub mod threads;
pub mod tsc;
pub mod user_mode;
pub mod vm;
