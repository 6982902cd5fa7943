//! `packer verify`.

use super::boot_args::BootArgs;
use super::input;
use super::print::{print, say};
use anyhow::Result;
use clap::Args;
use packer::bootable::{Finding, Severity};
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
/// With --boot, packer also looks for what stops Linux from starting init, such as a missing library. It does
/// not look at what init opens or starts when it runs. Each finding is an error, a warning (the boot may fail)
/// or a note.
///
/// Exit codes: 0 packer found no problem; 1 packer found problems. It prints a line on stderr for each problem,
/// which begins with the name of the image. Warnings and notes are on stderr, too, but the exit code is 0.
#[derive(Args)]
pub struct Verify {
    /// The image; - is standard input
    image: PathBuf,

    /// Also compare the image with this manifest, made by `packer create --manifest` or `packer list --json`;
    /// - is standard input
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,

    #[command(flatten)]
    boot: BootArgs,
}

impl Verify {
    pub fn run(self) -> Result<ExitCode> {
        let manifest = self
            .manifest
            .map(|path| input::read(&path, Manifest::read_json));
        let manifest = manifest.transpose()?;
        let conditions = self.boot.conditions()?;
        let report = input::read(&self.image, |image| match &conditions {
            Some(conditions) => verify::verify_boot(image, manifest.as_ref(), conditions),
            None => verify::verify(image, manifest.as_ref()),
        })?;
        let image = escape_path(input::name(&self.image));
        for problem in &report.problems {
            say(format_args!("{image}: {problem}"));
        }
        for finding in &report.findings {
            say(format_args!("{image}: {}: {finding}", finding.severity));
        }
        let is_error = |finding: &Finding| finding.severity == Severity::Error;
        if !report.problems.is_empty() || report.findings.iter().any(is_error) {
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
