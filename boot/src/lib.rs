//! Runs a Linux guest in QEMU, reads its serial console, and says in words what happened.
//!
//! [`run::run`] starts the [`command::Vm`] it is given, watches for the [`watch::Goal`], and
//! returns a [`verdict::Verdict`]. Nothing is left behind: not QEMU, not a terminal in raw mode,
//! whatever ends the caller.
//!
//! | module | subject |
//! | --- | --- |
//! | [`target`] | the table of what can be booted, and how |
//! | [`accel`] | whether KVM works, and so who executes the guest's instructions |
//! | [`tsc`] | how fast the host's time stamp counter counts, for the guest |
//! | [`command`] | a virtual machine as QEMU's command line |
//! | [`sandbox`] | what QEMU may not do |
//! | [`console`] | what the guest says: the expected text, what the kernel complains about, the last line |
//! | [`needle`] | a text looked for in a stream |
//! | [`message`] | the kernel's messages among other output |
//! | [`diagnosis`] | the table of what they mean for a boot |
//! | [`signal`] | what killed PID 1 |
//! | [`advice`] | a diagnosis in words, and what to do about it |
//! | [`keys`] | what the user types that is not for the guest |
//! | [`watch`] | when to stop watching |
//! | [`settle`] | when a guest has come to rest after the text |
//! | [`threads`] | what QEMU's threads do |
//! | [`judge`] | what that means |
//! | [`verdict`] | the outcome as data |
//! | [`sentence`] | the outcome in words |
//! | [`exit_code`] | the outcome for scripts: the table of exit codes |
//! | [`display`] | the guest's output as it is shown |
//! | [`input`] | files, looked at before QEMU is started |
//! | [`qemu`] | the process, which never outlives boot |
//! | [`reaper`] | the process between the two, which ends what QEMU leaves |
//! | [`signals`] | what asks boot to end |
//! | [`patient`] | streams that wait, whatever mode they are in |
//! | [`stderr`] | what boot and QEMU have to say beside the guest |
//! | [`terminal`] | raw mode, which is always undone |
//! | [`events`] | the threads, each of which waits for one thing |
//! | [`run`] | the loop that joins them all |
//! | [`repeat`] | many boots, some at a time |
//! | [`inspect`] | what the kernel and the initramfs are, by their contents |
//! | [`qmp`] | what QEMU says on its control channel |
//! | [`gdb`] | how a debugger gets to the guest |
//! | [`timeline`] | what the console said, and when |
//! | [`phases`], [`initcalls`] | the parts of a boot, told from that |
//! | [`symbols`] | the names of a kernel's functions |
//! | [`analysis`] | what took how long |
//! | [`report`], [`chart`], [`summary`] | the same as JSON, as a picture and as text |
//! | [`outfile`], [`results`] | where that is written, and when |

#![deny(unsafe_code)] // The exceptions, in `reaper`, `accel` and `tsc`, say why.

pub mod accel;
pub mod advice;
pub mod analysis;
pub mod chart;
pub mod command;
pub mod console;
pub mod diagnosis;
pub mod display;
pub mod events;
pub mod exit_code;
pub mod gdb;
pub mod initcalls;
pub mod input;
pub mod inspect;
pub mod judge;
pub mod keys;
pub mod message;
pub mod needle;
pub mod outfile;
pub mod patient;
pub mod phases;
pub mod qemu;
pub mod qmp;
pub mod reaper;
pub mod repeat;
pub mod report;
pub mod results;
pub mod run;
pub mod sandbox;
pub mod sentence;
pub mod settle;
pub mod signal;
pub mod signals;
pub mod stderr;
pub mod summary;
pub mod symbols;
pub mod target;
pub mod terminal;
pub mod threads;
pub mod timeline;
pub mod tsc;
pub mod verdict;
pub mod watch;
