//! All printing. `println!` and `eprintln!` panic if the output cannot be written, such as to a full disk or
//! a closed pipe. So clippy forbids them in this crate.

use anyhow::{Context, Result};
use packer::Error;
use serde_json::Value;
use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

/// Calls `write` with standard output, whose errors `write` must return as [`Error::Output`].
///
/// A closed pipe is not an error, as in `packer list IMAGE | head`.
pub fn print(write: impl FnOnce(&mut dyn Write) -> Result<(), Error>) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = write(&mut out);
    // After an error, too, flush the output so that it precedes the message.
    let flushed = out.flush().map_err(Error::Output);
    match written.and(flushed) {
        Err(Error::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(Error::Output(error)) => Err(error).context("standard output"),
        result => Ok(result?),
    }
}

/// Writes indented JSON, and a newline.
pub fn json(value: &Value, out: &mut dyn Write) -> Result<(), Error> {
    serde_json::to_writer_pretty(&mut *out, value)
        .map_err(io::Error::from)
        .and_then(|()| writeln!(out))
        .map_err(Error::Output)
}

/// Writes a line to standard error. Ignores errors, because there is nowhere to report them.
pub fn say(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints clap's message about the arguments: an error, or the help text.
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
