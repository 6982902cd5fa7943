//! How a guest is run: the table of targets, QEMU's command line, its process, and what it says of the guest.
//!
//! In: a [`command::Vm`]. Out: its streams, its process id, whether and why it ended or stopped. Nothing is left of
//! it when it is dropped, or when boot is gone.
//!
//! | module | subject |
//! | --- | --- |
//! | [`target`] | the table of what can be booted, and how |
//! | [`accel`] | whether KVM works, and so who executes the guest's instructions |
//! | [`tsc`] | how fast the host's time stamp counter counts, for the guest |
//! | [`command`] | a virtual machine as QEMU's command line |
//! | [`sandbox`] | what QEMU may not do |
//! | [`qemu`] | the process, which never outlives boot |
//! | [`reaper`] | the process between the two, which ends what QEMU leaves |
//! | [`threads`] | what QEMU's threads do |
//! | [`qmp`] | what QEMU says on its control channel |
//! | [`gdb`] | how a debugger gets to the guest |

pub mod accel;
pub mod command;
pub mod gdb;
pub mod qemu;
pub mod qmp;
pub mod reaper;
pub mod sandbox;
pub mod target;
pub mod threads;
pub mod tsc;
