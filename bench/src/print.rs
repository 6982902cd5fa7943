//! What is printed. `print!` and `eprintln!` panic where that cannot be written, as on a full disk.

use std::fmt::Display;
use std::io::{self, Write};

use anyhow::{Context, Result};

/// Prints results.
pub fn print(results: &impl Display) -> Result<()> {
    write!(io::stdout(), "{results}").context("standard output")
}

/// Prints a line that says how far it is. The results do not depend on whether somebody reads it.
pub fn progress(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
