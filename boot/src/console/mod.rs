//! Reads the guest's serial console.
//!
//! The input is bytes, in pieces of any size. The output is whether the expected text was seen, the kernel's messages, and
//! the last lines. Memory is bounded.
//!
//! | module | subject |
//! | --- | --- |
//! | [`stream`] | the reader: the expected text, the kernel's messages, the last lines |
//! | [`needle`] | the search for a text in a stream |
//! | [`author`] | the author of each byte |
//! | [`message`] | the kernel's messages among other output |
//! | [`display`] | the format of the output on stdout |

pub mod author;
pub mod display;
pub mod message;
pub mod needle;
pub mod stream;
