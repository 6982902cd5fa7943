//! Files: boot checks them before the boot, and writes the results after it.

pub mod format;
pub mod input;
pub mod outfile;
