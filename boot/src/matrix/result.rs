//! What came of a cell.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::matrix::ktap::{self, Case, Outcome, Results};
use crate::verdict::exit_code;
use crate::verdict::signal::signal;

/// A test that skips itself exits with this status in kselftest.
const KSELFTEST_SKIP: i32 = 4;

/// The lines of an output that are shown with a failure.
const SHOWN_LINES: usize = 10;

/// How a cell, or one run of it, ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It did what it had to.
    Passed,
    /// It failed, and passed when it was run again.
    Flaky,
    /// The program says that it skipped everything.
    Skipped,
    /// It failed.
    Failed,
    /// It could not be tried.
    Error,
    /// A signal came before or while it ran.
    NotRun,
}

impl Verdict {
    /// All, in the order of the summary.
    pub const ALL: [Verdict; 6] = [
        Verdict::Passed,
        Verdict::Flaky,
        Verdict::Skipped,
        Verdict::Failed,
        Verdict::Error,
        Verdict::NotRun,
    ];

    /// Its name for people.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Flaky => "flaky",
            Verdict::Skipped => "skipped",
            Verdict::Failed => "failed",
            Verdict::Error => "error",
            Verdict::NotRun => "not run",
        }
    }

    /// Its name in the JSON file.
    pub fn key(self) -> &'static str {
        match self {
            Verdict::NotRun => "not-run",
            verdict => verdict.word(),
        }
    }

    /// Whether it is a failure, after which the cell runs again.
    pub fn is_bad(self) -> bool {
        matches!(self, Verdict::Failed | Verdict::Error)
    }
}

/// One run of a cell.
#[derive(Debug, PartialEq)]
pub struct Attempt {
    /// How it ended.
    pub verdict: Verdict,
    /// The exit status of `boot run`, unless a signal ended that.
    pub status: Option<i32>,
    /// The exit status in words.
    pub words: String,
    /// boot's sentence about the end, with the lines that explain it; empty if the program ended by itself.
    pub message: String,
    /// The test cases in the output.
    pub cases: Vec<Case>,
    /// The last lines of the output.
    pub last_lines: Vec<String>,
    /// The time that it took.
    pub time: Duration,
    /// The directory with its output.
    pub directory: PathBuf,
}

/// All runs of a cell.
#[derive(Debug)]
pub struct CellResult {
    /// The place of the cell in the plan.
    pub cell: usize,
    /// How it ended.
    pub verdict: Verdict,
    /// The runs, in their order. None if a signal came before the first one.
    pub attempts: Vec<Attempt>,
}

impl CellResult {
    /// The result for these runs.
    pub fn new(cell: usize, attempts: Vec<Attempt>) -> Self {
        let last = attempts.last().map_or(Verdict::NotRun, |last| last.verdict);
        let verdict = match last {
            Verdict::Passed | Verdict::Skipped if attempts.len() > 1 => Verdict::Flaky,
            verdict => verdict,
        };
        CellResult {
            cell,
            verdict,
            attempts,
        }
    }

    /// How the last run ended, in words.
    pub fn words(&self) -> String {
        let words = self
            .attempts
            .last()
            .map(|last| last.words.clone())
            .unwrap_or_default();
        match (self.verdict, self.attempts.len()) {
            (Verdict::Flaky, runs) => {
                let before = &self.attempts[runs - 2].words;
                format!("{words} in run {runs}; before: {before}")
            }
            (Verdict::Failed | Verdict::Error, runs) if runs > 1 => {
                format!("{words} ({runs} runs)")
            }
            _ => words,
        }
    }

    /// The time of all runs.
    pub fn time(&self) -> Duration {
        self.attempts.iter().map(|attempt| attempt.time).sum()
    }
}

/// The outputs of a run.
#[derive(Debug, Default)]
pub struct Outputs {
    /// The program's.
    pub stdout: Vec<u8>,
    /// The program's and boot's.
    pub stderr: Vec<u8>,
    /// The kernel's log.
    pub console: Vec<u8>,
}

impl Attempt {
    /// The result of a run whose exit status should be `wanted`, and is `status` or, if a signal ended `boot run`, none.
    pub fn new(
        wanted: i32,
        status: Option<i32>,
        outputs: &Outputs,
        time: Duration,
        directory: &Path,
    ) -> Attempt {
        let message = own_message(&String::from_utf8_lossy(&outputs.stderr));
        let found = [&outputs.stdout, &outputs.console].map(|output| ktap::parse(output));
        let tests = found
            .into_iter()
            .flatten()
            .fold(Results::default(), |mut all, results| {
                all.cases.extend(results.cases);
                all.skipped = all.skipped.or(results.skipped);
                all
            });
        let own = status.filter(|_| !message.is_empty());
        let is_wanted = status == Some(wanted);
        let is_skipped = tests.skipped.is_some() && tests.cases.is_empty();
        let failed = tests.count(Outcome::Failed);
        let verdict = match own {
            _ if is_skipped && (is_wanted || status == Some(KSELFTEST_SKIP)) => Verdict::Skipped,
            Some(CANNOT_TRY) if !is_wanted => Verdict::Error,
            _ if is_wanted && failed == 0 => Verdict::Passed,
            _ => Verdict::Failed,
        };
        let mut words = match (verdict, &tests.skipped) {
            (Verdict::Skipped, Some(reason)) if !reason.is_empty() => reason.clone(),
            _ => in_words(status, own.is_some()),
        };
        if verdict == Verdict::Failed && !is_wanted && wanted != 0 {
            words += &format!(", and not {wanted}");
        }
        if failed > 0 {
            words += &format!("; {failed} of {} tests failed", tests.cases.len());
        }
        let shown = if outputs.stderr.is_empty() {
            &outputs.stdout
        } else {
            &outputs.stderr
        };
        Attempt {
            verdict,
            status,
            words,
            message,
            cases: tests.cases,
            last_lines: last_lines(shown),
            time,
            directory: directory.to_owned(),
        }
    }

    /// A run that never was: boot could not start it.
    pub fn not_started(error: &anyhow::Error, directory: &Path) -> Attempt {
        Attempt {
            verdict: Verdict::Error,
            status: None,
            words: "could not be started".into(),
            message: format!("{error:#}"),
            cases: Vec::new(),
            last_lines: Vec::new(),
            time: Duration::ZERO,
            directory: directory.to_owned(),
        }
    }
}

/// `boot run` could not try it.
const CANNOT_TRY: i32 = 252;

/// What `boot run` itself said last: its last line that begins with its name, and the lines after it.
fn own_message(stderr: &str) -> String {
    let start = match stderr.rfind("\nboot: ") {
        Some(place) => place + 1,
        None if stderr.starts_with("boot: ") => 0,
        // clap's, about the command line.
        None if stderr.starts_with("error: ") => 0,
        None => return String::new(),
    };
    stderr[start..].trim_end().to_owned()
}

/// An exit status in words. `is_own` says that it is `boot run`'s, and not the program's.
fn in_words(status: Option<i32>, is_own: bool) -> String {
    let own = |code, for_guest| i32::from(exit_code::of_run(code, false)) == for_guest;
    match status {
        None => "boot was killed".into(),
        Some(status) if is_own && own(exit_code::GUEST_FAILED, status) => "the guest failed".into(),
        Some(status) if is_own && own(exit_code::TIME_RAN_OUT, status) => "time ran out".into(),
        Some(status) if is_own && own(exit_code::CANNOT_TEST, status) => {
            "could not be tried".into()
        }
        Some(126) if is_own => "the program cannot be executed".into(),
        Some(127) if is_own => "no such program".into(),
        Some(status @ 129..) => match u8::try_from(status - 128).ok().and_then(signal) {
            Some(signal) => format!("exit status {status} ({})", signal.name),
            None => format!("exit status {status}"),
        },
        Some(status) => format!("exit status {status}"),
    }
}

fn last_lines(output: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<_> = text.lines().collect();
    let first = lines.len().saturating_sub(SHOWN_LINES);
    lines[first..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

#[cfg(test)]
pub(crate) mod tests;
