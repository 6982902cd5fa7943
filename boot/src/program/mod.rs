//! A program in a guest, for `boot run`.
//!
//! The agent, PID 1 of the guest, prepares the guest, runs the program and passes its streams. boot decides what
//! it does. The crate `agent` has the protocol. If the program is to be PID 1 itself, the agent becomes the program.
//!
//! | module | subject |
//! | --- | --- |
//! | [`steps`] | the steps that the agent takes, as bytes and as words |
//! | [`guest`] | what the program finds in its guest |
//! | [`pack`] | the files of a guest that shares nothing with the host |
//! | [`modules`] | the modules of a kernel that has not everything built in |
//! | [`image`] | the initramfs, with the agent and these files |
//! | [`channel`] | the streams and the signals of the program |
//! | `input` | what boot sends the agent of its stdin |
//! | `window` | how much of it the agent has room for |
//! | `segments` | a file for large input |
//! | [`devices`] | the streams of a program that is PID 1 |

pub mod channel;
pub mod devices;
pub mod guest;
pub mod image;
mod input;
pub mod modules;
pub mod pack;
mod segments;
pub mod steps;
mod window;
