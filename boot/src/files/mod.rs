//! Files: looked at before the boot, and written after it.

pub mod input;
pub mod outfile;
