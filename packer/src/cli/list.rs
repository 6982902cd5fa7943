//! `packer list`.

use super::input;
use super::print::print;
use anyhow::Result;
use clap::Args;
use packer::escape::escape;
use packer::manifest::{Entry, Kind};
use packer::{Error, Manifest};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Say what is in an image
///
/// A line for each entry, in the order of the image, with single spaces in it:
///
///     MODE UID:GID SIZE MTIME PATH[ -> TARGET]
///
/// MODE is as `ls -l` shows it. SIZE is MAJOR,MINOR for a device and 0 for a directory.
/// MTIME is in seconds since 1970. Hard links are shown as the file that they are. In PATH
/// and TARGET, control characters and what is not UTF-8 are written \xNN, and a backslash is
/// written twice.
///
/// What Linux would skip is not shown: `packer verify` names it.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct List {
    /// The image
    image: PathBuf,

    /// Print all that is known about the image, as JSON: its manifest
    #[arg(long)]
    json: bool,

    /// Print, before PATH, the SHA-256 of what a file contains, or `-`
    #[arg(long, conflicts_with = "json")]
    sha256: bool,
}

impl List {
    pub fn run(self) -> Result<ExitCode> {
        let manifest = input::read(&self.image, Manifest::of_image)?;
        print(|out| {
            let written = match self.json {
                true => manifest.write(out),
                false => {
                    let mut entries = manifest.entries.iter();
                    entries.try_for_each(|entry| line(entry, self.sha256, out))
                }
            };
            written.map_err(Error::Output)
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn line(entry: &Entry, with_sha256: bool, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{} {}:{} ", permissions(entry), entry.uid, entry.gid)?;
    match &entry.kind {
        Kind::File { size, .. } => write!(out, "{size}")?,
        Kind::Symlink { target } => write!(out, "{}", target.len())?,
        Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => {
            write!(out, "{major},{minor}")?;
        }
        Kind::Directory | Kind::Fifo | Kind::Socket => write!(out, "0")?,
    }
    write!(out, " {}", entry.mtime)?;
    match &entry.kind {
        Kind::File { sha256, .. } if with_sha256 => write!(out, " {sha256}")?,
        _ if with_sha256 => write!(out, " -")?,
        _ => {}
    }
    write!(out, " {}", escape(&entry.path))?;
    if let Kind::Symlink { target } = &entry.kind {
        write!(out, " -> {}", escape(target))?;
    }
    writeln!(out)
}

/// Type and mode as ls(1) shows them.
fn permissions(entry: &Entry) -> String {
    let mode = entry.mode;
    let mut text = String::from(match &entry.kind {
        Kind::Directory => "d",
        Kind::File { .. } => "-",
        Kind::Symlink { .. } => "l",
        Kind::CharDevice { .. } => "c",
        Kind::BlockDevice { .. } => "b",
        Kind::Fifo => "p",
        Kind::Socket => "s",
    });
    for (shift, special, letters) in [(6, 0o4000, "sS"), (3, 0o2000, "sS"), (0, 0o1000, "tT")] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push_str(match (mode & special != 0, bits & 1 != 0) {
            (false, false) => "-",
            (false, true) => "x",
            (true, true) => &letters[..1],
            (true, false) => &letters[1..],
        });
    }
    text
}
