//! `packer verify`.

use super::input;
use super::print::{print, say};
use anyhow::Result;
use clap::Args;
use packer::escape::escape_path;
use packer::{Error, Manifest, verify};
use std::path::PathBuf;
use std::process::ExitCode;

/// Find the entries of an image that Linux would not unpack unchanged
///
/// Checks the checksums of compressed data, the structure of the archives, and every entry. Linux itself
/// reports few of these problems. For example, it skips an entry whose path is too long, or whose parent is
/// missing, and continues.
///
/// packer needs up to 400 bytes of memory for each entry, and the length of its path. With --manifest, it
/// needs up to 2 kB.
///
/// Exit codes: 0 packer found no problem; 1 packer found problems, and printed a line on stderr for each,
/// which begins with the name of the image.
#[derive(Args)]
pub struct Verify {
    /// The image
    image: PathBuf,

    /// Also compare the image with this manifest, made by `packer create --manifest` or `packer list --json`
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
}

impl Verify {
    pub fn run(self) -> Result<ExitCode> {
        let manifest = self
            .manifest
            .map(|path| input::read(&path, Manifest::read_json));
        let manifest = manifest.transpose()?;
        let report = input::read(&self.image, |image| {
            verify::verify(image, manifest.as_ref())
        })?;
        let image = escape_path(&self.image);
        if !report.problems.is_empty() {
            for problem in &report.problems {
                say(format_args!("{image}: {problem}"));
            }
            return Ok(ExitCode::FAILURE);
        }
        let entries = count(report.entries, "entry", "entries");
        let archives = count(report.archives, "archive", "archives");
        let size = report.size;
        let ok = format!("{image}: ok, {entries} in {archives}, {size} bytes");
        print(|out| writeln!(out, "{ok}").map_err(Error::Output))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
