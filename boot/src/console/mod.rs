//! The guest's bytes: a stream that becomes lines and kernel messages, and what is shown of it.
//!
//! In: bytes as they arrive, in whatever pieces. Out: whether the expected text was seen, what the kernel said, the
//! last line. Memory is bounded.
//!
//! | module | subject |
//! | --- | --- |
//! | [`stream`] | what the guest says: the expected text, what the kernel complains about, the last line |
//! | [`needle`] | a text looked for in a stream |
//! | [`author`] | who writes on the console |
//! | [`message`] | the kernel's messages among other output |
//! | [`display`] | the guest's output as it is shown |

pub mod author;
pub mod display;
pub mod message;
pub mod needle;
pub mod stream;
