//! One boot from its start to its verdict: the loop, its events, and when to stop watching.
//!
//! In: a virtual machine, a goal, and what becomes of the guest's output. Out: a verdict.
//!
//! | module | subject |
//! | --- | --- |
//! | [`run`] | the loop that joins everything |
//! | [`events`] | the threads, each of which waits for one thing |
//! | [`watch`] | when to stop watching |
//! | [`settle`] | when a guest has come to rest |
//! | [`keys`] | what the user types that is not for the guest |
//! | [`terminal`] | raw mode, which is always undone |
//! | [`stderr`] | what QEMU says on stderr |
//! | [`signals`] | what asks boot to end |
//! | [`repeat`] | many boots, some at a time |

pub mod events;
pub mod keys;
pub mod repeat;
pub mod run;
pub mod settle;
pub mod signals;
pub mod stderr;
pub mod terminal;
pub mod watch;
