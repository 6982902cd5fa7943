//! One boot, from its start to its verdict.
//!
//! The input is a virtual machine, a goal and the destinations of the guest's output. The output is a verdict.
//!
//! | module | subject |
//! | --- | --- |
//! | [`run`] | the loop |
//! | [`program`] | the loop of `boot run` |
//! | [`events`] | the threads that send events to the loop |
//! | [`watch`] | decides when the watching ends |
//! | [`settle`] | decides when a guest has come to rest |
//! | [`keys`] | the keys that boot and QEMU handle themselves |
//! | [`terminal`] | raw mode, which is always undone |
//! | [`stderr`] | QEMU's stderr |
//! | [`signals`] | the signals that end boot |
//! | [`repeat`] | many boots, some in parallel |

pub mod events;
pub mod keys;
pub mod program;
pub mod repeat;
pub mod run;
pub mod settle;
pub mod signals;
pub mod stderr;
pub mod terminal;
pub mod watch;
