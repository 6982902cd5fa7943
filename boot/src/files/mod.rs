//! Files: looked at before the boot, and written after it.

pub mod format;
pub mod input;
pub mod outfile;
