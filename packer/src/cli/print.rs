//! What the program prints, in one place: `println!` and `eprintln!` panic where the output cannot be
//! written, as on a full disk or with nobody left to read it, and clippy refuses them in this crate.

use anyhow::{Context, Result};
use packer::Error;
use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

/// Writes to standard output by `write`, which returns errors of it as [`Error::Output`].
///
/// A closed pipe is no error: in `packer list IMAGE | head`, nobody wants to read more.
pub fn print(write: impl FnOnce(&mut dyn Write) -> Result<(), Error>) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = write(&mut out);
    // What was written before an error is to be there, too, and comes before its message.
    let flushed = out.flush().map_err(Error::Output);
    match written.and(flushed) {
        Err(Error::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(Error::Output(error)) => Err(error).context("standard output"),
        result => Ok(result?),
    }
}

/// Writes a line to standard error. If that cannot be written, there is nowhere to say so.
pub fn say(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints what clap says instead of giving arguments: an error, or the help that was asked for.
pub fn usage(message: &clap::Error) -> ExitCode {
    let printed = message.print().and_then(|()| io::stdout().flush());
    match printed {
        Err(error) if !message.use_stderr() && error.kind() != ErrorKind::BrokenPipe => {
            say(format_args!("standard output: {error}"));
            ExitCode::FAILURE
        }
        _ => ExitCode::from(message.exit_code() as u8),
    }
}
