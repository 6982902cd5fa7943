//! `packer diff`.

use super::input;
use super::print::{print, say};
use anyhow::Result;
use clap::Args;
use packer::escape::escape_path;
use packer::{Error, diff};
use std::path::PathBuf;
use std::process::ExitCode;

/// Show the differences between two images, entry by entry
///
/// Compares the files that Linux unpacks: an archive overrides earlier archives of the image. If these
/// files are the same, but the images differ, packer shows the other differences: in compression, number
/// of archives, order of entries and so on.
///
/// In place of an image, you can name its manifest, made by `packer create --manifest` or `packer list --json`.
///
/// Exit codes, as for diff(1): 0 the images are the same, byte for byte, and packer prints nothing; 1 they
/// differ; 2 packer cannot read one of them.
#[derive(Args)]
pub struct Diff {
    /// An image or a manifest; - is standard input
    a: PathBuf,

    /// Another image or manifest
    b: PathBuf,
}

/// The exit code for an error, which diff(1) calls "trouble".
const TROUBLE: u8 = 2;

impl Diff {
    pub fn run(self) -> Result<ExitCode> {
        Ok(self.compare().unwrap_or_else(|error| {
            say(format_args!("{error:#}"));
            ExitCode::from(TROUBLE)
        }))
    }

    fn compare(&self) -> Result<ExitCode> {
        let [a, b] = [&self.a, &self.b].map(|path| input::read(path, diff::read));
        let names = [&self.a, &self.b].map(|path| escape_path(input::name(path)).to_string());
        let lines = diff::compare(&a?, &b?, [&names[0], &names[1]]);
        print(|out| {
            let mut lines = lines.iter();
            let written = lines.try_for_each(|line| writeln!(out, "{line}"));
            written.map_err(Error::Output)
        })?;
        Ok(match lines.is_empty() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }
}
