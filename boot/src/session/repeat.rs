//! Many boots, some in parallel: how many of them fail, and how many run per second.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::machine::vm::Vm;
use crate::session::run::{Output, run};
use crate::session::signals::Signals;
use crate::streams::say;
use crate::verdict::Verdict;
use crate::verdict::exit_code::{self, ExitCode};
use crate::verdict::judge::Goal;

/// Boots `vm` as often as `times` says, `jobs` at once. Prints a line for each failure and a summary.
/// The exit code is that of the first failure. Only a signal ends it early.
pub fn repeat(vm: &Vm, goal: &Goal, times: u32, jobs: u32, signals: &Signals) -> ExitCode {
    let begun = AtomicU32::new(0);
    let code = AtomicU8::new(exit_code::SUCCESS);
    let (sender, times_taken) = channel();
    let fail = |number, words: String, failure| {
        say(&format!("boot: number {number}: {words}"));
        let first = exit_code::SUCCESS;
        let _ = code.compare_exchange(first, failure, Ordering::Relaxed, Ordering::Relaxed);
    };
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
            match run(vm, goal.clone(), output, false, signals) {
                Ok(Verdict::Seen { after, .. }) => {
                    let _ = after.map(|after| sender.send(after));
                }
                Ok(verdict) => fail(number, verdict.to_string(), verdict.exit_code()),
                // An error of the host may be temporary, so the next boot is tried.
                Err(error) => fail(number, format!("{error:#}"), exit_code::of_error(&error)),
            }
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
    let mut seen: Vec<_> = times_taken.iter().collect();
    seen.sort_unstable();
    say(&summary(&seen, begun.into_inner().min(times), took));
    signals.exit_code().unwrap_or(code.into_inner())
}

/// The summary. `seen` has the sorted times of the boots in which the text was seen.
fn summary(seen: &[Duration], boots: u32, took: Duration) -> String {
    let failed = boots as usize - seen.len();
    let rate = f64::from(boots) / took.as_secs_f64();
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
