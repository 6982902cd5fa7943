//! `packer verify`.

use super::boot_args::BootArgs;
use super::input;
use super::print::{json, print, say};
use anyhow::Result;
use clap::Args;
use packer::bootable::{Finding, Severity};
use packer::escape::{escape, escape_path};
use packer::verify::{self, Report};
use packer::{Error, Manifest};
use serde_json::{Value, json};
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

    /// Print all that was found as JSON on stdout, and no lines on stderr
    ///
    /// The exit codes stay the same.
    #[arg(long)]
    json: bool,

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
        let is_error = |finding: &Finding| finding.severity == Severity::Error;
        let is_ok = report.problems.is_empty() && !report.findings.iter().any(is_error);
        let code = match is_ok {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        };
        if self.json {
            print(|out| json(&as_json(&report, is_ok), out))?;
            return Ok(code);
        }
        let image = escape_path(input::name(&self.image));
        for problem in &report.problems {
            say(format_args!("{image}: {problem}"));
        }
        for finding in &report.findings {
            say(format_args!("{image}: {}: {finding}", finding.severity));
        }
        if !is_ok {
            return Ok(code);
        }
        let entries = count(report.entries, "entry", "entries");
        let archives = count(report.archives, "archive", "archives");
        let size = report.size;
        let ok = format!("{image}: ok, {entries} in {archives}, {size} bytes");
        print(|out| writeln!(out, "{ok}").map_err(Error::Output))?;
        Ok(code)
    }
}

/// The fields are in docs/packer.md.
fn as_json(report: &Report, is_ok: bool) -> Value {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "severity": finding.severity.to_string(),
                "path": escape(&finding.path).to_string(),
                "problem": finding.problem,
                "advice": finding.advice,
            })
        })
        .collect();
    json!({
        "version": 1,
        "ok": is_ok,
        "problems": report.problems,
        "findings": findings,
        "archives": report.archives,
        "entries": report.entries,
        "size": report.size,
    })
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
