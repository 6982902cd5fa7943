//! The kernel's initcalls and their times, which the kernel prints with `initcall_debug`.
//!
//! The lines (do_one_initcall() in Linux's init/main.c) are debug messages: they reach the console only
//! with `loglevel=8` or `ignore_loglevel`. Without CONFIG_KALLSYMS they have addresses instead of names.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use crate::profile::symbols::Symbols;
use crate::profile::timeline::{Timeline, in_seconds};

/// One initcall.
#[derive(Debug, PartialEq, Serialize)]
pub struct Initcall {
    /// The function's name, or its address.
    pub name: String,
    /// The time of its call, since the start.
    #[serde(serialize_with = "in_seconds")]
    pub start: Duration,
    /// The time of its return.
    #[serde(skip)]
    pub end: Duration,
    /// Its duration, by the clock of the list.
    #[serde(serialize_with = "in_seconds")]
    pub took: Duration,
}

/// All initcalls.
#[derive(Debug)]
pub struct Initcalls {
    /// The clock of their durations: `guest`, in microseconds, or `host`, if the guest's clock counts in
    /// steps of a timer interrupt. On the host's, they include the time in which the guest prints.
    pub clock: &'static str,
    /// The sum of their durations.
    pub total: Duration,
    /// The initcalls, the slowest first.
    pub calls: Vec<Initcall>,
}

impl Initcalls {
    /// The initcalls in `timeline`. `symbols` translates addresses into names.
    pub fn of(timeline: &Timeline, symbols: &Symbols) -> Self {
        let mut running = HashMap::new();
        let mut calls = Vec::new();
        for line in &timeline.lines {
            if let Some(function) = called(&line.text) {
                running.insert(function, line.ended);
            } else if let Some((function, took)) = returned(&line.text) {
                let start = running.remove(function).unwrap_or(line.begun);
                calls.push(Initcall {
                    name: symbols.name(function).unwrap_or(function).to_owned(),
                    start,
                    end: line.begun.max(start),
                    took,
                });
            }
        }
        let is_fine = |call: &Initcall| call.took.subsec_micros() % 1000 != 0;
        let clock = if calls.iter().any(is_fine) {
            "guest"
        } else {
            for call in &mut calls {
                call.took = call.end - call.start;
            }
            "host"
        };
        calls.sort_by_key(|call| Reverse(call.took));
        Initcalls {
            clock,
            total: calls.iter().map(|call| call.took).sum(),
            calls,
        }
    }

    /// Whether one initcall was running from `start` to `end`.
    pub fn covers(&self, start: Duration, end: Duration) -> bool {
        let covers = |call: &Initcall| call.start <= start && end <= call.end;
        self.calls.iter().any(covers)
    }
}

/// The function in `calling  serial8250_init+0x0/0x1a0 @ 1`.
fn called(text: &str) -> Option<&str> {
    let (function, _) = text.strip_prefix("calling  ")?.split_once(" @ ")?;
    Some(plain(function))
}

/// The function and its time in `initcall serial8250_init+0x0/0x1a0 returned 0 after 4567 usecs`.
fn returned(text: &str) -> Option<(&str, Duration)> {
    let (function, rest) = text.strip_prefix("initcall ")?.split_once(" returned ")?;
    let (_, after) = rest.split_once(" after ")?;
    let micros = after.strip_suffix(" usecs")?.trim().parse().ok()?;
    Some((plain(function), Duration::from_micros(micros)))
}

/// The line; if it announces an initcall, with the function's name instead of its address.
pub fn named(text: &str, symbols: &Symbols) -> String {
    let known = called(text).and_then(|function| Some((function, symbols.name(function)?)));
    match known {
        Some((function, name)) => text.replacen(function, name, 1),
        None => text.to_owned(),
    }
}

/// A function's name without its offset and size.
fn plain(function: &str) -> &str {
    function.split('+').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::timeline::tests::{ms, recorded};

    fn of(lines: &[(u64, &str)]) -> Initcalls {
        Initcalls::of(&recorded(lines), &Symbols::default())
    }

    #[test]
    fn a_fine_clock_of_the_guest_is_used() {
        // From Debian's 6.1.192: the second ends before the first.
        let initcalls = of(&[
            (10, "[    1.109200] calling  proc_kmsg_init+0x0/0x26 @ 1"),
            (10, "[    1.109300] calling  init_encrypted+0x0/0xca @ 1"),
            (
                20,
                "[    1.607641] initcall init_encrypted+0x0/0xca returned 0 after 9481 usecs",
            ),
            (
                21,
                "[    1.109391] initcall proc_kmsg_init+0x0/0x26 returned 0 after 26 usecs",
            ),
            (
                22,
                "[    1.108000] initcall bert_init+0x0/0x286 returned -19 after 86 usecs",
            ),
            (22, "[    1.108000] initcall broken returned 0 after"),
            (
                22,
                "[    1.108000] probe of serial8250 returned 1 after 43 usecs",
            ),
        ]);
        assert_eq!(initcalls.clock, "guest");
        let slowest: Vec<_> = initcalls.calls[..2]
            .iter()
            .map(|call| (call.name.as_str(), call.start, call.took.as_micros()))
            .collect();
        assert_eq!(
            slowest,
            [("init_encrypted", ms(10), 9481), ("bert_init", ms(22), 86)]
        );
        assert_eq!(initcalls.total, Duration::from_micros(9481 + 26 + 86));
    }

    #[test]
    fn with_a_coarse_clock_of_the_guest_the_hosts_is_used() {
        // From the small kernel, which has no names and only a coarse clock.
        let initcalls = of(&[
            (10, "[    0.270000] calling  0xffffffff8165e881 @ 1"),
            (12, "[    0.270000] clocksource: jiffies: mask: 0xffffffff"),
            (
                13,
                "[    0.280000] initcall 0xffffffff8165e881 returned 0 after 10000 usecs",
            ),
            (14, "[    0.280000][    T1] calling  0xffffffff81664953 @ 1"),
            (
                14,
                "[    0.280000][    T1] initcall 0xffffffff81664953 returned 0 after 0 usecs",
            ),
        ]);
        assert_eq!(initcalls.clock, "host");
        let calls: Vec<_> = initcalls
            .calls
            .iter()
            .map(|call| (call.name.as_str(), call.took))
            .collect();
        assert_eq!(
            calls,
            [("0xffffffff8165e881", ms(3)), ("0xffffffff81664953", ms(0))]
        );
    }

    #[test]
    fn addresses_get_their_names_if_known() {
        let symbols = Symbols::from_iter([(0xffff_ffff_8165_e881, "init_jiffies".to_owned())]);
        let timeline = recorded(&[(1, "initcall 0xffffffff8165e881 returned 0 after 1 usecs")]);
        assert_eq!(
            Initcalls::of(&timeline, &symbols).calls[0].name,
            "init_jiffies"
        );
    }

    #[test]
    fn without_initcall_debug_there_are_none() {
        let initcalls = of(&[(1, "[    0.270000] calling all cars")]);
        assert!(initcalls.calls.is_empty());
    }
}
