//! The results as JSON (docs/matrix.md).

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use crate::matrix::ktap::Outcome;
use crate::matrix::plan::Plan;
use crate::matrix::result::{Attempt, CellResult, Verdict};
use crate::matrix::table::count;

/// The version of this format. It changes when a field changes its meaning or goes away.
const FORMAT: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Report<'a> {
    format: u32,
    file: &'a Path,
    counts: BTreeMap<&'static str, usize>,
    cells: Vec<CellReport<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct CellReport<'a> {
    name: String,
    values: BTreeMap<&'a str, &'a str>,
    result: Verdict,
    seconds: f64,
    arguments: Vec<String>,
    runs: Vec<Run<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Run<'a> {
    result: Verdict,
    exit_status: Option<i32>,
    words: &'a str,
    message: &'a str,
    seconds: f64,
    logs: Option<&'a Path>,
    tests: Vec<Test<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Test<'a> {
    name: &'a str,
    result: Verdict,
    message: &'a str,
}

/// The results. `keeps_logs` says whether the directories with the output stay.
pub fn json(plan: &Plan, file: &Path, results: &[CellResult], keeps_logs: bool) -> Result<String> {
    let cell = |result| cell_report(plan, result, keeps_logs);
    let counts = Verdict::ALL.map(|verdict| (verdict.key(), count(results, verdict)));
    let report = Report {
        format: FORMAT,
        file,
        counts: counts.into(),
        cells: results.iter().map(cell).collect(),
    };
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

fn cell_report<'a>(plan: &'a Plan, result: &'a CellResult, keeps_logs: bool) -> CellReport<'a> {
    let cell = &plan.cells[result.cell];
    let values = cell.values.iter().map(String::as_str);
    CellReport {
        name: cell.name(),
        values: plan.axes.iter().copied().zip(values).collect(),
        result: result.verdict,
        seconds: result.time().as_secs_f64(),
        arguments: cell.options.arguments(&[]),
        runs: result
            .attempts
            .iter()
            .map(|attempt| run(attempt, keeps_logs))
            .collect(),
    }
}

fn run(attempt: &Attempt, keeps_logs: bool) -> Run<'_> {
    let test = |case: &'_ crate::matrix::ktap::Case| match case.outcome {
        Outcome::Passed => Verdict::Passed,
        Outcome::Failed => Verdict::Failed,
        Outcome::Skipped => Verdict::Skipped,
    };
    let tests = attempt.cases.iter().map(|case| Test {
        name: &case.name,
        result: test(case),
        message: &case.message,
    });
    Run {
        result: attempt.verdict,
        exit_status: attempt.status,
        words: &attempt.words,
        message: &attempt.message,
        seconds: attempt.time.as_secs_f64(),
        logs: keeps_logs.then_some(&attempt.directory),
        tests: tests.collect(),
    }
}
