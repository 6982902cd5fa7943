//! `packer diff`.

use super::input;
use super::print::{print, say};
use anyhow::Result;
use clap::Args;
use packer::escape::escape;
use packer::{Error, diff};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// Say what differs between two images, entry by entry
///
/// What Linux unpacks from them is compared: an archive overrides those before it in the image. Where
/// there is no difference, but the images are not the same, this says how they differ themselves: in
/// compression, in the number of archives, in the order of entries and so on.
///
/// Either of them may be a manifest instead, made by `packer create --manifest` or `packer list --json`.
///
/// Exit codes, as those of diff(1): 0 they are the same, byte for byte, and nothing is printed; 1 they
/// differ; 2 there is no telling, as one of them cannot be read.
#[derive(Args)]
pub struct Diff {
    /// An image or a manifest
    a: PathBuf,

    /// Another
    b: PathBuf,
}

/// diff(1) calls it trouble.
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
        let names = [&self.a, &self.b].map(|path| escape(path.as_os_str().as_bytes()).to_string());
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
