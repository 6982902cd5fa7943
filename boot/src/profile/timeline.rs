//! The record of a boot: the lines of the console, with their times.
//!
//! There are two clocks. The host's clock has the arrival of each byte, since the start. The guest's
//! clock is in the kernel's time stamps. Both are needed: the kernel's first messages arrive all at once,
//! when it has its console, and a guest without a good clock counts in steps of 10 ms.

use std::time::Duration;

use serde::Serializer;

use crate::console::author::{is_first, starts_init};
use crate::console::message::without_controls;

/// The number of kept lines: several times the output of a kernel with `initcall_debug`.
const LINES: usize = 16_384;

/// The kept length of a line, in bytes.
const LENGTH: usize = 240;

/// A line of the console.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The arrival of its first byte, since the start.
    pub begun: Duration,
    /// The arrival of its newline.
    pub ended: Duration,
    /// The time stamp of the kernel, if it has one.
    pub guest: Option<Duration>,
    /// The rest, without control characters.
    pub text: String,
}

/// The record. Its memory is bounded.
#[derive(Debug, Default)]
pub struct Timeline {
    /// Whether no firmware precedes the kernel, and no QEMU: user-mode Linux.
    pub user_mode: bool,
    /// The time at which QEMU had set up the machine, from QMP.
    pub ready: Option<Duration>,
    /// The reason of the shutdown, QMP's `ShutdownCause`.
    pub shutdown: Option<String>,
    /// The time of the expected text.
    pub expected: Option<Duration>,
    /// The end of the watching.
    pub end: Duration,
    /// The arrival of the first byte.
    pub first_byte: Option<Duration>,
    /// The kernel's first line.
    pub kernel: Option<Line>,
    /// The kernel's message that it runs init.
    pub init: Option<Line>,
    /// The number of bytes.
    pub bytes: u64,
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// The number of further lines, which are not kept.
    pub dropped: u64,
    /// The arrival of the current line's first byte, and its text so far.
    current: Option<(Duration, Vec<u8>)>,
}

impl Timeline {
    /// An empty record of a guest in QEMU, or of user-mode Linux.
    pub fn new(user_mode: bool) -> Self {
        Timeline {
            user_mode,
            ..Timeline::default()
        }
    }

    /// Takes bytes that arrived `at` that time after QEMU's start.
    pub fn feed(&mut self, bytes: &[u8], at: Duration) {
        self.bytes += bytes.len() as u64;
        for &byte in bytes {
            self.first_byte.get_or_insert(at);
            let (_, text) = self.current.get_or_insert_with(|| (at, Vec::new()));
            if byte == b'\n' {
                self.end_line(at);
            } else if text.len() < LENGTH {
                text.push(byte);
            }
        }
    }

    /// Ends the record. A last line without a newline counts as a line.
    pub fn finish(&mut self, at: Duration) {
        self.end = at;
        self.end_line(at);
    }

    fn end_line(&mut self, ended: Duration) {
        let Some((begun, bytes)) = self.current.take() else {
            return;
        };
        let text = without_controls(&bytes);
        let (guest, text) = match timestamp(&text) {
            Some((guest, rest)) => (Some(guest), rest),
            None => (None, text.as_str()),
        };
        let line = Line {
            begun,
            ended,
            guest,
            text: text.trim_end().to_owned(),
        };
        if guest.is_some() || is_first(text) {
            self.kernel.get_or_insert_with(|| line.clone());
        }
        if starts_init(text) {
            self.init.get_or_insert_with(|| line.clone());
        }
        if self.lines.len() < LINES {
            self.lines.push(line);
        } else {
            self.dropped += 1;
        }
    }

    /// The number of lines.
    pub fn count(&self) -> u64 {
        self.lines.len() as u64 + self.dropped
    }

    /// The end of the boot: the expected text, or the end of the watching if the text was not seen.
    pub fn boot_end(&self) -> Duration {
        self.expected.unwrap_or(self.end)
    }
}

/// `time` in seconds, rounded down to a microsecond: the form of all times in the report.
pub fn seconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e6
}

/// The same for serde.
pub fn in_seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(seconds(*time))
}

/// Splits the kernel's time stamp `[    0.123456] ` from the line. The writing thread or CPU, `[    T1] `,
/// may follow it.
fn timestamp(line: &str) -> Option<(Duration, &str)> {
    let (time, mut rest) = line.strip_prefix('[')?.split_once(']')?;
    let (seconds, micros) = time.trim_start().split_once('.')?;
    if micros.len() != 6 {
        return None;
    }
    let time =
        Duration::from_secs(seconds.parse().ok()?) + Duration::from_micros(micros.parse().ok()?);
    if let Some((caller, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        if caller.trim_start().starts_with(['T', 'C']) {
            rest = after;
        }
    }
    Some((time, rest.strip_prefix(' ').unwrap_or(rest)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A timeline of lines with their arrival times in milliseconds.
    pub fn recorded(lines: &[(u64, &str)]) -> Timeline {
        let mut timeline = Timeline::new(false);
        for (at, line) in lines {
            timeline.feed(format!("{line}\r\n").as_bytes(), ms(*at));
        }
        timeline.finish(ms(lines.last().map_or(0, |(at, _)| *at)));
        timeline
    }

    #[test]
    fn lines_have_both_clocks() {
        let mut timeline = Timeline::new(false);
        timeline.feed(b"SeaBIOS\r\n[    0.000000] Linux ver", ms(5));
        timeline.feed(
            b"sion 6.12\r\n[   12.345678][    T1] Run /init as init pro",
            ms(7),
        );
        timeline.feed(b"cess\r\n# ", ms(9));
        timeline.finish(ms(11));
        assert_eq!(timeline.first_byte, Some(ms(5)));
        let clocks = |line: &Option<Line>| line.as_ref().map(|line| (line.begun, line.guest));
        let guest = Some(Duration::ZERO);
        assert_eq!(clocks(&timeline.kernel), Some((ms(5), guest)));
        let guest = Some(Duration::from_micros(12_345_678));
        assert_eq!(clocks(&timeline.init), Some((ms(7), guest)));
        let texts: Vec<_> = timeline.lines.iter().map(|line| &line.text).collect();
        assert_eq!(
            texts,
            [
                "SeaBIOS",
                "Linux version 6.12",
                "Run /init as init process",
                "#"
            ]
        );
        assert_eq!((timeline.lines[2].ended, timeline.end), (ms(9), ms(11)));
    }

    #[test]
    fn only_a_time_stamp_of_the_kernel_is_a_time() {
        for (line, expected) in [
            ("[    0.190000] x", Some((190_000, "x"))),
            ("[12345.000001][  C0] x", Some((12_345_000_001, "x"))),
            (
                "[    1.000000] [Firmware Bug]: x",
                Some((1_000_000, "[Firmware Bug]: x")),
            ),
            ("[    1.000000]   indented", Some((1_000_000, "  indented"))),
            ("[  OK  ] Started x", None),
            ("[1.5] x", None),
            ("[", None),
            ("[99999999999999999999.000000] x", None),
        ] {
            let found = timestamp(line);
            let expected = expected.map(|(us, text)| (Duration::from_micros(us), text));
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn the_first_of_its_kind_counts() {
        let timeline = recorded(&[
            (1, "[    0.000000] a"),
            (2, "[    0.100000] Run /init as init process"),
            (3, "[    0.200000] Run /sbin/init as init process"),
        ]);
        assert_eq!(timeline.kernel.unwrap().begun, ms(1));
        assert_eq!(timeline.init.unwrap().begun, ms(2));
    }

    #[test]
    fn endless_output_is_counted_and_not_kept() {
        let mut timeline = Timeline::new(false);
        timeline.feed(&vec![b'x'; 1 << 20], ms(1));
        assert!(timeline.current.as_ref().unwrap().1.capacity() <= 2 * LENGTH);
        timeline.feed("\n".repeat(LINES + 9).as_bytes(), ms(2));
        timeline.feed(b"[    1.000000] Run /init as init process\n", ms(3));
        assert_eq!(timeline.lines.len(), LINES);
        assert_eq!(timeline.dropped, 10);
        assert_eq!(timeline.bytes, (1 << 20) + LINES as u64 + 9 + 41);
        assert_eq!(timeline.init.unwrap().begun, ms(3));
    }
}
