//! What boot and the agent, PID 1 of `boot run`, say to each other.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod protocol;
