//! Many boots, some in parallel: how many of them fail, and how many run per second.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::machine::vm::Vm;
use crate::profile::report::Run;
use crate::session::run::{Output, run};
use crate::session::signals::Signals;
use crate::streams::say;
use crate::verdict::Verdict;
use crate::verdict::exit_code::{self, ExitCode};
use crate::verdict::judge::Goal;

/// Boots `vm` as often as `times` says, `jobs` at once. Prints a line for each failure and a summary. Only a signal ends it early.
pub fn repeat(vm: &Vm, goal: &Goal, times: u32, jobs: u32, signals: &Signals) -> Repeated {
    let begun = AtomicU32::new(0);
    let (sender, runs) = channel();
    let job = || {
        let sender = sender.clone();
        while signals.exit_code().is_none() {
            let number = begun.fetch_add(1, Ordering::Relaxed) + 1;
            if number > times {
                break;
            }
            let output = Output {
                hidden: true,
                ..Output::default()
            };
            let end = run(vm, goal.clone(), output, false, signals);
            let failure = match &end {
                Ok(Verdict::Seen { .. }) => None,
                Ok(verdict) => Some(verdict.to_string()),
                // An error of the host may be temporary, so the next boot is tried.
                Err(error) => Some(format!("{error:#}")),
            };
            if let Some(words) = failure {
                say(&format!("boot: number {number}: {words}"));
            }
            let _ = sender.send(Run { number, end });
        }
    };
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..jobs.min(times) {
            scope.spawn(job);
        }
    });
    let took = started.elapsed();
    drop(sender);
    // In the order in which they ended.
    let runs: Vec<Run> = runs.iter().collect();
    let seen = runs.iter().filter_map(|run| match run.end {
        Ok(Verdict::Seen { after, .. }) => after,
        _ => None,
    });
    let mut seen: Vec<_> = seen.collect();
    seen.sort_unstable();
    say(&summary(&seen, runs.len(), took));
    Repeated { runs, took }
}

/// What has become of many boots.
#[derive(Debug)]
pub struct Repeated {
    /// The boots, in the order in which they ended.
    pub runs: Vec<Run>,
    /// How long they took together.
    pub took: Duration,
}

impl Repeated {
    /// The exit code: that of the first failure.
    pub fn exit_code(&self) -> ExitCode {
        let codes = self.runs.iter().map(|run| match &run.end {
            Ok(verdict) => verdict.exit_code(),
            Err(error) => exit_code::of_error(error),
        });
        codes
            .into_iter()
            .find(|code| *code != exit_code::SUCCESS)
            .unwrap_or(exit_code::SUCCESS)
    }
}

/// The summary. `seen` has the sorted times of the boots in which the text was seen.
fn summary(seen: &[Duration], boots: usize, took: Duration) -> String {
    let failed = boots - seen.len();
    let rate = boots as f64 / took.as_secs_f64();
    let mut line = format!("boot: {boots} boots, {failed} failed, {rate:.1} per second");
    if let (Some(least), Some(most)) = (seen.first(), seen.last()) {
        let middle = seen[seen.len() / 2];
        let [least, middle, most] = [least, &middle, most].map(Duration::as_secs_f64);
        line += &format!("; {middle:.3} s to the text, {least:.3} to {most:.3}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_the_middle_and_the_ends() {
        let seen = [1, 2, 3, 40].map(Duration::from_secs);
        assert_eq!(
            summary(&seen, 5, Duration::from_secs(10)),
            "boot: 5 boots, 1 failed, 0.5 per second; 3.000 s to the text, 1.000 to 40.000"
        );
        assert_eq!(
            summary(&[], 2, Duration::from_secs(1)),
            "boot: 2 boots, 2 failed, 2.0 per second"
        );
    }
}
