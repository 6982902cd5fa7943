//! The model of a boot: its record, and what is computed from that. The report, the chart and the summary
//! only format it.

use std::cmp::Reverse;
use std::time::Duration;

use serde::Serialize;

use crate::profile::initcalls::{Initcalls, named};
use crate::profile::phases::{Phase, Who, phases};
use crate::profile::symbols::Symbols;
use crate::profile::timeline::{Line, Timeline, in_seconds};

/// The analysis of a recorded boot.
#[derive(Debug)]
pub struct Analysis {
    /// The record.
    pub timeline: Timeline,
    /// Its phases.
    pub phases: Vec<Phase>,
    /// Its initcalls, if `initcall_debug` was on.
    pub initcalls: Initcalls,
    /// Its silences until init starts, the longest first.
    pub silences: Vec<Silence>,
    /// Sentences that follow the numbers: about the guest's clock, and hints for a better analysis.
    pub notes: Vec<String>,
}

/// The time between two lines of the console.
#[derive(Debug, PartialEq, Serialize)]
pub struct Silence {
    /// The line before it.
    pub after: String,
    /// The line after it.
    pub before: String,
    /// The same with the name of a function instead of its address, if that is known.
    #[serde(skip)]
    pub name: String,
    /// Its beginning, since the start.
    #[serde(serialize_with = "in_seconds")]
    pub start: Duration,
    /// Its length.
    #[serde(serialize_with = "in_seconds")]
    pub took: Duration,
}

/// The name, the beginning and the length of a delay.
pub type Delay<'a> = (&'a str, Duration, Duration);

impl Analysis {
    /// Analyses `timeline`. `command_line` is the kernel's. `symbols` has names of functions, for a kernel
    /// that prints only their addresses.
    pub fn new(timeline: Timeline, command_line: &str, symbols: &Symbols) -> Self {
        let initcalls = Initcalls::of(&timeline, symbols);
        Analysis {
            phases: phases(&timeline),
            silences: silences(&timeline, symbols),
            notes: notes(&timeline, command_line, &initcalls),
            initcalls,
            timeline,
        }
    }

    /// The time of all phases of `who`.
    pub fn share(&self, who: Who) -> Duration {
        let parts = self.phases.iter().filter(|phase| phase.who == who);
        parts.map(|phase| phase.end - phase.start).sum()
    }

    /// The longest delays in two titled lists, the longest first: initcalls, if the console shows them, and
    /// silences outside of initcalls.
    pub fn delays(&self, calls: usize, silences: usize) -> Vec<(String, Vec<Delay<'_>>)> {
        let (number, clock) = (self.initcalls.calls.len(), self.initcalls.clock);
        let total = millis(self.initcalls.total);
        let title = format!("Slowest of {number} initcalls ({total} ms by the {clock}'s clock)");
        let slowest = self.initcalls.calls.iter().take(calls);
        let slowest = slowest.map(|call| (call.name.as_str(), call.start, call.took));
        let covered = |silence: &Silence| {
            self.initcalls
                .covers(silence.start, silence.start + silence.took)
        };
        let outside = self.silences.iter().filter(|silence| !covered(silence));
        let outside = outside.map(|silence| (silence.name.as_str(), silence.start, silence.took));
        let mut lists: Vec<(_, Vec<_>)> = vec![
            (title, slowest.collect()),
            (
                "Longest silences, by the line after".to_owned(),
                outside.take(silences).collect(),
            ),
        ];
        for (_, delays) in &mut lists {
            delays.retain(|(_, _, took)| !took.is_zero());
        }
        lists.retain(|(_, delays)| !delays.is_empty());
        lists
    }
}

fn silences(timeline: &Timeline, symbols: &Symbols) -> Vec<Silence> {
    let init = timeline.init.as_ref();
    let is_boot = |line: &Line| init.is_none_or(|init| line.begun <= init.begun);
    let pairs = timeline.lines.windows(2).filter(|pair| is_boot(&pair[1]));
    let silence = |pair: &[Line]| Silence {
        after: pair[0].text.clone(),
        before: pair[1].text.clone(),
        name: named(&pair[1].text, symbols),
        start: pair[0].ended,
        took: pair[1].begun.saturating_sub(pair[0].ended),
    };
    let mut silences: Vec<_> = pairs.map(silence).collect();
    silences.sort_by_key(|silence| Reverse(silence.took));
    silences
}

fn notes(timeline: &Timeline, command_line: &str, initcalls: &Initcalls) -> Vec<String> {
    let calls = &initcalls.calls;
    let asked = command_line.split(' ').any(|word| word == "initcall_debug");
    let hints = [
        (
            asked && calls.is_empty(),
            "initcall_debug is on the command line, but the console shows no initcalls: \
             add loglevel=8",
        ),
        (
            calls.iter().any(|call| call.name.starts_with("0x")),
            "the kernel was built without CONFIG_KALLSYMS and prints no names of functions: \
             name its unstripped vmlinux with --symbols FILE",
        ),
        (
            timeline.dropped > 0,
            "the console had more lines than boot records: the last ones are missing",
        ),
    ];
    let clock = timeline.init.as_ref().and_then(|init| init.guest);
    let clock = clock.map(|at| {
        let at = millis(at);
        format!("The kernel's own clock said {at} ms when it ran init.")
    });
    let hints = hints.iter().filter(|(applies, _)| *applies);
    let hints = hints.map(|(_, hint)| format!("Hint: {hint}."));
    clock.into_iter().chain(hints).collect()
}

/// A time in milliseconds, with three digits or more.
pub fn millis(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    let decimals = match ms {
        ms if ms < 9.995 => 2,
        ms if ms < 99.95 => 1,
        _ => 0,
    };
    format!("{ms:.decimals$}")
}

/// `text` in at most `width` characters; a longer text ends with dots.
pub fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::timeline::tests::{ms, recorded};

    fn analysis(lines: &[(u64, &str)], command_line: &str) -> Analysis {
        Analysis::new(recorded(lines), command_line, &Symbols::default())
    }

    #[test]
    fn delays_are_initcalls_and_the_silences_between_them() {
        let lines = [
            (10, "[    0.000000] a"),
            (50, "[    0.100000] calling  f+0x0/0x1 @ 1"),
            (53, "[    0.103000] f says something"),
            (
                57,
                "[    0.107000] initcall f+0x0/0x1 returned 0 after 6999 usecs",
            ),
            (
                57,
                "[    0.107000] initcall g+0x0/0x1 returned 0 after 0 usecs",
            ),
        ];
        let boot = analysis(&lines, "");
        let sections = boot.delays(9, 1);
        assert_eq!(
            sections[0].0,
            "Slowest of 2 initcalls (7.00 ms by the guest's clock)"
        );
        assert_eq!(sections[0].1, [("f", ms(50), Duration::from_micros(6999))]);
        assert_eq!(sections[1].0, "Longest silences, by the line after");
        let (_, start, took) = sections[1].1[0];
        assert_eq!((start, took), (ms(10), ms(40)));
        // The time in `f` does not appear twice.
        assert_eq!(analysis(&lines, "").delays(0, 9)[0].1.len(), 1);
        assert_eq!(analysis(&lines[..2], "").delays(9, 9).len(), 1);
    }

    #[test]
    fn the_longest_gaps_come_first_and_end_with_init() {
        let lines = [
            (1, "a"),
            (4, "b"),
            (104, "c"),
            (114, "[    0.1] Run /init as init process"),
            (115, "Run /init as init process"),
            (9999, "late"),
        ];
        let silences = analysis(&lines, "").silences;
        let texts: Vec<_> = silences[..2]
            .iter()
            .map(|silence| (silence.after.as_str(), silence.took))
            .collect();
        assert_eq!(texts, [("b", ms(100)), ("c", ms(10))]);
    }

    #[test]
    fn an_initcall_after_a_silence_has_its_name() {
        let symbols = Symbols::from_iter([(0xff81, "f_init".to_owned())]);
        let timeline = recorded(&[(1, "a"), (9, "calling  0xff81 @ 1")]);
        let boot = Analysis::new(timeline, "", &symbols);
        assert_eq!(boot.delays(0, 1)[0].1[0].0, "calling  f_init @ 1");
    }

    #[test]
    fn hints_name_missing_options() {
        let hints = |lines: &[(u64, &str)], command_line| analysis(lines, command_line).notes;
        assert!(hints(&[(1, "x")], "quiet").is_empty());
        assert!(hints(&[(1, "x")], "quiet initcall_debug")[0].contains("loglevel=8"));
        let address = "initcall 0xffffffff8165e881 returned 0 after 5 usecs";
        assert!(hints(&[(1, address)], "initcall_debug")[0].contains("--symbols"));
    }

    #[test]
    fn shares_add_up_to_the_whole() {
        let mut boot = analysis(
            &[
                (10, "[    0.000000] a"),
                (50, "[    0.1] b"),
                (70, "[    0.100000] Run /init as init process"),
                (75, "Hello"),
            ],
            "",
        );
        let shares = [Who::Unknown, Who::Kernel, Who::Init].map(|who| boot.share(who));
        assert_eq!(shares, [ms(10), ms(60), ms(5)]);
        assert_eq!(boot.timeline.boot_end(), ms(75));
        boot.timeline.expected = Some(ms(72));
        assert_eq!(boot.timeline.boot_end(), ms(72));
    }

    #[test]
    fn numbers_have_three_digits() {
        for (us, text) in [
            (0, "0.00"),
            (1_234, "1.23"),
            (9_996, "10.0"),
            (99_960, "100"),
            (1_234_567, "1235"),
        ] {
            assert_eq!(millis(Duration::from_micros(us)), text);
        }
    }

    #[test]
    fn a_long_text_ends_in_dots() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("Serial: 8250", 11), "Serial:...");
    }
}
