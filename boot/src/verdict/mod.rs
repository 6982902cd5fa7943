//! From what the kernel said, and how the guest ended, to a verdict: as data, in words, and as an exit code.
//!
//! Nothing here knows of processes or clocks.
//!
//! | module | subject |
//! | --- | --- |
//! | [`kinds`] | the outcome as data |
//! | [`judge`] | what the end of the watching means |
//! | [`findings`] | what the kernel has said about how the boot goes |
//! | [`diagnosis`] | the table of what the kernel's messages mean for a boot |
//! | [`signal`] | what killed PID 1 |
//! | [`words`] | what programs say about why they end |
//! | [`advice`] | a diagnosis in words, and what to do about it |
//! | [`sentence`] | the outcome in words |
//! | [`exit_code`] | the outcome for scripts: the table of exit codes |

pub mod advice;
pub mod diagnosis;
pub mod exit_code;
pub mod findings;
pub mod judge;
pub mod kinds;
pub mod sentence;
pub mod signal;
pub mod words;
