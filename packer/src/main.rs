//! The command line of `packer`.

#![forbid(unsafe_code)]

use anyhow::{Context, Result};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgGroup, Args, Parser, Subcommand};
use packer::spec::{self, Spec};
use packer::{Compression, Tree};
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Packs an initramfs: same inputs, same bytes
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Create(Create),
}

/// Make an image from a list of entries
///
/// Entries are sorted and directories that are missing on the way to one are added, so the order of
/// the options does not matter. Everything belongs to root. All times are 1970, or SOURCE_DATE_EPOCH
/// (seconds since then) where that is set.
///
/// MODE is octal. Without one, a directory has 0755, a device 0600, and a file 0755 or 0644,
/// depending on whether the owner of SRC may execute it. Where a name contains a `:`, MODE is needed.
#[derive(Args)]
#[command(
    group = ArgGroup::new("entries").required(true).multiple(true)
        .args(["files", "dirs", "nodes", "symlinks"]),
    override_usage = "packer create <OUT> <ENTRY>... [--compress <none|gzip[:LEVEL]>]",
    after_help = "Example:\n  packer create initramfs.cpio.gz --file /init=./init:0755 \\\n    \
        --dir /dev --node /dev/console=c:5:1:0600"
)]
struct Create {
    /// The image to make, or to replace once the new one is complete
    out: PathBuf,

    /// Add a file with the contents of SRC
    #[arg(help_heading = "Entries", long = "file", value_name = "DEST=SRC[:MODE]", value_parser = parser(spec::file))]
    files: Vec<Spec>,

    /// Add a directory
    #[arg(help_heading = "Entries", long = "dir", value_name = "DEST[:MODE]", value_parser = parser(spec::dir))]
    dirs: Vec<Spec>,

    /// Add a character (c) or block (b) device; this does not take root
    #[arg(help_heading = "Entries", long = "node", value_name = "DEST=c|b:MAJ:MIN[:MODE]", value_parser = parser(spec::node))]
    nodes: Vec<Spec>,

    /// Add a symbolic link
    #[arg(help_heading = "Entries", long = "symlink", value_name = "DEST=TARGET", value_parser = parser(spec::symlink))]
    symlinks: Vec<Spec>,

    /// Compression of the image: none, or gzip with a LEVEL from 1 to 9
    #[arg(long, value_name = "none|gzip[:LEVEL]", default_value_t)]
    compress: Compression,
}

/// clap's own conversion to text does not say which argument is not UTF-8.
fn parser(parse: fn(&str) -> Result<Spec, packer::Error>) -> impl TypedValueParser<Value = Spec> {
    OsStringValueParser::new().try_map(move |spec: OsString| match spec.to_str() {
        Some(spec) => parse(spec).map_err(|error| error.to_string()),
        None => Err(format!("{}: is not UTF-8", spec.to_string_lossy())),
    })
}

fn main() -> ExitCode {
    let Command::Create(arguments) = Cli::parse().command;
    match create(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn create(arguments: Create) -> Result<()> {
    let mtime = source_date_epoch()?;
    let mut tree = Tree::new();
    let lists = [
        arguments.files,
        arguments.dirs,
        arguments.nodes,
        arguments.symlinks,
    ];
    for Spec { path, entry } in lists.into_iter().flatten() {
        tree.insert(&path, entry)?;
    }
    packer::create(&arguments.out, &tree, mtime, arguments.compress)?;
    Ok(())
}

/// <https://reproducible-builds.org/specs/source-date-epoch/>, as far as newc can express it.
fn source_date_epoch() -> Result<u32> {
    let Some(value) = env::var_os("SOURCE_DATE_EPOCH") else {
        return Ok(0);
    };
    let value = value.to_string_lossy();
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| value.parse().ok())
        .flatten()
        .with_context(|| {
            format!(
                "SOURCE_DATE_EPOCH: `{value}` is not a number of seconds from 0 to {}",
                u32::MAX
            )
        })
}
