//! The subcommands of the program, one in each file.

mod boot_args;
mod cat;
mod convert;
mod create;
mod diff;
mod extract;
mod input;
mod list;
mod man;
pub mod print;
mod progress;
mod signals;
mod verify;

use anyhow::Result;
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Parser, Subcommand};
use packer::Error;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

/// Make and read initramfs images: the same inputs give the same bytes
///
/// An image consists of one or several newc archives. Each may be compressed with gzip, zstd, xz, bzip2
/// or lzma, or with lz4 or lzo in an image that packer reads.
///
/// Exit codes: 0 success; 1 something is wrong with a file or an image; 2 the command line is wrong.
/// `packer diff` has other exit codes.
#[derive(Parser)]
#[command(version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Create(Box<create::Create>),
    List(list::List),
    Verify(verify::Verify),
    Extract(extract::Extract),
    Cat(cat::Cat),
    Diff(diff::Diff),
    Convert(convert::Convert),
    Completions(man::Completions),
    Man(man::Man),
}

impl Cli {
    pub fn run(self) -> Result<ExitCode> {
        match self.command {
            Command::Create(create) => create.run(),
            Command::List(list) => list.run(),
            Command::Verify(verify) => verify.run(),
            Command::Extract(extract) => extract.run(),
            Command::Cat(cat) => cat.run(),
            Command::Diff(diff) => diff.run(),
            Command::Convert(convert) => convert.run(),
            Command::Completions(completions) => completions.run(),
            Command::Man(man) => man.run(),
        }
    }
}

/// A parser of an argument that need not be text.
fn parser<T: Clone + Send + Sync + 'static>(
    parse: fn(&[u8]) -> Result<T, Error>,
) -> impl TypedValueParser<Value = T> {
    OsStringValueParser::new().try_map(move |argument: OsString| parse(argument.as_bytes()))
}
