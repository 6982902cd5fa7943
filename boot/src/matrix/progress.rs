//! The progress of a matrix, on stderr: a line for each cell that is done, and on a terminal a bar.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::matrix::ktap::Outcome;
use crate::matrix::plan::Plan;
use crate::matrix::result::{Attempt, Verdict};
use crate::matrix::runner::Event;
use crate::streams::say;

/// The failed tests that are named below a cell.
const MOST_TESTS: usize = 10;

/// The progress, which several threads report.
pub struct Progress {
    bar: ProgressBar,
    names: Vec<String>,
    running: Mutex<Vec<usize>>,
}

impl Progress {
    /// For the cells of `plan`. The bar is hidden if stderr is no terminal.
    pub fn new(plan: &Plan) -> Self {
        let style = ProgressStyle::with_template("{bar:20} {pos}/{len} {elapsed} {wide_msg}");
        let bar = ProgressBar::new(plan.cells.len() as u64);
        bar.set_style(style.expect("the template is well-formed"));
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress {
            bar,
            names: plan.cells.iter().map(|cell| cell.name()).collect(),
            running: Mutex::default(),
        }
    }

    /// Shows what happened.
    pub fn show(&self, event: Event) {
        match event {
            Event::Started(cell) => self.running(|running| running.push(cell)),
            Event::Failed(cell, attempt) => {
                self.running(|running| running.retain(|other| *other != cell));
                self.say(&lines("again", &self.names[cell], attempt));
            }
            Event::Ended(result) => {
                self.running(|running| running.retain(|other| *other != result.cell));
                self.bar.inc(1);
                if let Some(last) = result.attempts.last() {
                    self.say(&lines(
                        result.verdict.word(),
                        &self.names[result.cell],
                        last,
                    ));
                }
            }
        }
    }

    /// Removes the bar.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, lines: &str) {
        self.bar.suspend(|| say(lines));
    }

    fn running(&self, change: impl FnOnce(&mut Vec<usize>)) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut running);
        let names: Vec<_> = running
            .iter()
            .map(|cell| self.names[*cell].as_str())
            .collect();
        self.bar.set_message(names.join(" "));
    }
}

/// A line about a run, and the reason if it failed.
fn lines(word: &str, name: &str, run: &Attempt) -> String {
    let mut lines = format!(
        "{word:<7}  {name}  {:.2} s  {}",
        run.time.as_secs_f64(),
        run.words
    );
    if !run.verdict.is_bad() {
        return lines;
    }
    let failed: Vec<_> = run
        .cases
        .iter()
        .filter(|case| case.outcome == Outcome::Failed)
        .collect();
    let tests = failed
        .iter()
        .take(MOST_TESTS)
        .map(|case| format!("not ok: {}  {}", case.name, case.message));
    let mut reasons: Vec<_> = tests.collect();
    if failed.len() > MOST_TESTS {
        reasons.push(format!("and {} more", failed.len() - MOST_TESTS));
    }
    match run.message.as_str() {
        "" if failed.is_empty() || run.verdict == Verdict::Error => {
            reasons.extend(run.last_lines.iter().cloned())
        }
        message => reasons.extend(message.lines().map(str::to_owned)),
    }
    for reason in reasons {
        // Output of a guest must not control the terminal.
        let shown: String = reason
            .trim_end()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        lines += &format!("\n  | {shown}");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::result::tests::attempt;

    #[test]
    fn a_failure_has_its_reason() {
        let tap = "TAP version 13\n1..2\nok 1 a\nnot ok 2 b # too late\n";
        for (run, expected) in [
            (
                attempt(0, 0, "x\n", ""),
                "passed   c  1.50 s  exit status 0",
            ),
            (
                attempt(0, 1, "", "a\n\u{1b}[1mb\n"),
                "passed   c  1.50 s  exit status 1\n  | a\n  |  [1mb",
            ),
            (
                attempt(0, 1, tap, "noise\n"),
                "passed   c  1.50 s  exit status 1; 1 of 2 tests failed\n  | not ok: b  too late",
            ),
            (
                attempt(0, 250, "x\n", "y\nboot: it panicked\n"),
                "passed   c  1.50 s  the guest failed\n  | boot: it panicked",
            ),
        ] {
            assert_eq!(lines("passed", "c", &run), expected);
        }
    }
}
