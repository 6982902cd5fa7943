//! The command line of `packer`.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)] // See cli/print.rs.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(message) => return cli::print::usage(&message),
    };
    cli.run().unwrap_or_else(|error| {
        cli::print::say(format_args!("{error:#}"));
        ExitCode::FAILURE
    })
}
