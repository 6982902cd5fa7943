//! The phases and delays of a boot, for the report, the chart and the summary.

use std::time::Duration;

use crate::profile::initcalls::{self, Clock, Initcalls};
use crate::profile::phases::{Phase, Who, phases};
use crate::profile::symbols::Symbols;
use crate::profile::timeline::Timeline;

/// The analysis of a recorded boot.
#[derive(Debug)]
pub struct Analysis {
    /// The record.
    pub timeline: Timeline,
    /// Its phases.
    pub phases: Vec<Phase>,
    /// Its initcalls, if `initcall_debug` was on.
    pub initcalls: Initcalls,
    /// Hints for a better analysis.
    pub hints: Vec<&'static str>,
    symbols: Symbols,
}

/// A delay.
#[derive(Clone, Debug, PartialEq)]
pub struct Delay {
    /// Its cause; for silence on the console, the line after it.
    pub name: String,
    /// Its beginning, since the start.
    pub start: Duration,
    /// Its length.
    pub took: Duration,
}

impl Analysis {
    /// Analyses `timeline`. `command_line` is the kernel's. `symbols` has names of functions, for a kernel
    /// that prints only their addresses.
    pub fn new(timeline: Timeline, command_line: &str, symbols: Symbols) -> Self {
        let initcalls = Initcalls::of(&timeline, &symbols);
        let asked = command_line.split(' ').any(|word| word == "initcall_debug");
        let address = |name: &str| name.starts_with("0x");
        let nameless = initcalls.calls.iter().any(|call| address(&call.name));
        let mut hints = Vec::new();
        if asked && initcalls.calls.is_empty() {
            hints.push(
                "initcall_debug is on the command line, but the console shows no initcalls: \
                 add loglevel=8",
            );
        }
        if nameless {
            hints.push(
                "the kernel was built without CONFIG_KALLSYMS and prints no names of functions: \
                 name its unstripped vmlinux with --symbols FILE",
            );
        }
        if timeline.dropped() > 0 {
            hints.push("the console had more lines than boot records: the last ones are missing");
        }
        Analysis {
            phases: phases(&timeline),
            timeline,
            initcalls,
            hints,
            symbols,
        }
    }

    /// The length of the boot: to the expected text, or to the end.
    pub fn length(&self) -> Duration {
        self.timeline.expected.unwrap_or(self.timeline.end)
    }

    /// The time of all phases of `who`.
    pub fn share(&self, who: Who) -> Duration {
        let parts = self.phases.iter().filter(|phase| phase.who == who);
        parts.map(|phase| phase.end - phase.start).sum()
    }

    /// The notes below the numbers, in sentences.
    pub fn notes(&self) -> Vec<String> {
        let guest = self.timeline.init().and_then(|init| init.guest);
        let clock = guest.map(|at| {
            let at = millis(at);
            format!("The kernel's own clock said {at} ms when it ran init.")
        });
        let hints = self.hints.iter().map(|hint| format!("Hint: {hint}."));
        clock.into_iter().chain(hints).collect()
    }

    /// The longest delays in two titled lists, the longest first: initcalls, if the console shows them, and
    /// silences outside of initcalls.
    pub fn delays(&self, calls: usize, silences: usize) -> Vec<(String, Vec<Delay>)> {
        let slowest = self.initcalls.slowest(calls).into_iter();
        let slowest = slowest.map(|call| Delay {
            name: call.name.clone(),
            start: call.start,
            took: call.took,
        });
        let clock = match self.initcalls.clock {
            Clock::Guest => "guest",
            Clock::Host => "host",
        };
        let (number, total) = (self.initcalls.calls.len(), self.initcalls.total());
        let total = millis(total);
        let outside = self.timeline.silences(usize::MAX).into_iter();
        let outside =
            outside.filter(|(before, after)| !self.initcalls.covers(before.ended, after.begun));
        let outside = outside.take(silences).map(|(before, after)| Delay {
            name: initcalls::named(&after.text, &self.symbols),
            start: before.ended,
            took: after.begun.saturating_sub(before.ended),
        });
        let mut sections = vec![
            (
                format!("Slowest of {number} initcalls ({total} ms by the {clock}'s clock)"),
                slowest.collect::<Vec<_>>(),
            ),
            (
                "Longest silences, by the line after".to_owned(),
                outside.collect(),
            ),
        ];
        for (_, delays) in &mut sections {
            delays.retain(|delay| !delay.took.is_zero());
        }
        sections.retain(|(_, delays)| !delays.is_empty());
        sections
    }
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
        Analysis::new(recorded(lines), command_line, Symbols::default())
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
        let sections = analysis(&lines, "").delays(9, 1);
        assert_eq!(
            sections[0].0,
            "Slowest of 2 initcalls (7.00 ms by the guest's clock)"
        );
        let f = Delay {
            name: "f".into(),
            start: ms(50),
            took: Duration::from_micros(6999),
        };
        assert_eq!(sections[0].1, [f]);
        assert_eq!(sections[1].0, "Longest silences, by the line after");
        let silence = &sections[1].1[0];
        assert_eq!((silence.start, silence.took), (ms(10), ms(40)));
        // The time in `f` does not appear twice.
        assert_eq!(analysis(&lines, "").delays(0, 9)[0].1.len(), 1);
        assert_eq!(analysis(&lines[..2], "").delays(9, 9).len(), 1);
    }

    #[test]
    fn an_initcall_after_a_silence_has_its_name() {
        let symbols = Symbols::from_iter([(0xff81, "f_init".to_owned())]);
        let timeline = recorded(&[(1, "a"), (9, "calling  0xff81 @ 1")]);
        let boot = Analysis::new(timeline, "", symbols);
        assert_eq!(boot.delays(0, 1)[0].1[0].name, "calling  f_init @ 1");
    }

    #[test]
    fn hints_name_missing_options() {
        let hints = |lines: &[(u64, &str)], command_line| analysis(lines, command_line).hints;
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
        assert_eq!(boot.length(), ms(75));
        boot.timeline.expected = Some(ms(72));
        assert_eq!(boot.length(), ms(72));
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
