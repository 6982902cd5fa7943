//! `boot run --report`: a run as JSON. docs/report.md explains the fields.

use std::ffi::OsString;
use std::time::Duration;

use anyhow::Result;
use boot::files::outfile::OutFile;
use boot::inspect::Inputs;
use boot::machine::vm::Vm;
use boot::profile::report::Before;
use boot::verdict::exit_code::ExitCode;
use serde::Serialize;

use crate::run::Place;
use crate::run::outcome::{Kind, Outcome};

/// The version of the schema. It increases when a field changes its meaning or is removed, not when one is
/// added.
const VERSION: u32 = 1;

/// A report whose file was checked.
pub struct Report {
    file: OutFile,
    before: Before,
    reason: String,
}

#[derive(Serialize)]
struct Fields<'a> {
    version: u32,
    boot: &'static str,
    command: Vec<String>,
    end: &'a Kind,
    sentence: Option<&'a str>,
    exit_code: ExitCode,
    seconds: f64,
    reason: &'a str,
    #[serde(flatten)]
    before: &'a Before,
}

impl Report {
    /// Collects the facts that are known before the run.
    pub fn new(file: OutFile, vm: &Vm, place: &Place, inputs: Inputs) -> Result<Report> {
        Ok(Report {
            file,
            before: Before::new(vm, place.acceleration.as_ref(), inputs)?,
            reason: place.reason.clone(),
        })
    }

    /// Writes the file. `code` is the exit code of `boot run`, and `time` that from the start to the end.
    pub fn write(
        &self,
        command: &[OsString],
        outcome: &Outcome,
        code: ExitCode,
        time: Duration,
    ) -> Result<()> {
        let fields = Fields {
            version: VERSION,
            boot: env!("CARGO_PKG_VERSION"),
            command: command
                .iter()
                .map(|word| word.to_string_lossy().into())
                .collect(),
            end: &outcome.kind,
            sentence: outcome.sentence.as_deref(),
            exit_code: code,
            seconds: (time.as_secs_f64() * 1e6).round() / 1e6,
            reason: &self.reason,
            before: &self.before,
        };
        self.file
            .write(&(serde_json::to_string_pretty(&fields)? + "\n"))
    }
}
