//! Verdicts for a log that something else wrote: a CI's log, a serial console's, a journal.
//!
//! The input is lines. The output is the boots in the log, each with its verdict, the numbers of its lines, and the lines
//! that led to the verdict. Memory is bounded.
//!
//! | module | subject |
//! | --- | --- |
//! | here | [`Explainer`], which divides a log into boots and judges them |
//! | [`prefix`] | time stamps and names that other programs write in front of a line |
//! | [`read`] | reads a log to its end |
//! | [`follow`] | reads a log that grows, or a serial port |
//! | [`trace`] | addresses as lines of source code |
//! | [`wrapped`] | lines in records of other programs: JSON, `key="value"` |
//! | [`show`] | the results as text and as JSON |

pub mod follow;
pub mod prefix;
pub mod read;
pub mod show;
pub mod trace;
pub mod wrapped;

use std::collections::VecDeque;
use std::time::Duration;

use crate::console::author::{early, is_first};
use crate::console::message::{Message, without_controls};
use crate::console::stream::{Console, Seen};
use crate::explain::prefix::Prefix;
use crate::verdict::Verdict;
use crate::verdict::diagnosis::notes::Note;
use crate::verdict::findings::{Findings, Reached, Shutdown};
use crate::verdict::judge::{Ending, Goal, Observed, RunnerEnd};

/// The number of lines shown before the one that matters, and after it.
const BEFORE: usize = 3;
const AFTER: usize = 2;

/// The number of lines of a stack trace.
const TRACE: usize = 32;

/// The shown length of a line, in characters.
const SHOWN: usize = 300;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// Its text, without controls.
    pub text: String,
}

/// A boot in the log.
#[derive(Debug)]
pub struct Boot {
    /// The number of its first line.
    pub first: u64,
    /// The number of its last line.
    pub last: u64,
    /// How it ended.
    pub verdict: Verdict,
    /// The line that led to the verdict, with those around it; or the last ones.
    pub excerpt: Vec<Line>,
    /// The lines of the first stack trace.
    pub trace: Vec<Line>,
    /// How far from its link address the kernel was loaded.
    pub load_offset: u64,
    /// The problems that the guest survived.
    pub notes: Vec<Note>,
}

/// Divides a log into boots, and judges each of them.
#[derive(Debug)]
pub struct Explainer {
    goal: Goal,
    prefix: Prefix,
    /// The number of the current line.
    number: u64,
    /// Whether the current line goes on.
    in_line: bool,
    current: Current,
    done: Vec<Boot>,
}

/// The boot that the current line belongs to.
#[derive(Debug)]
struct Current {
    first: u64,
    console: Console,
    findings: Findings,
    has_output: bool,
    /// Whether the kernel runs: it has printed its version, or a later message in a log that is cut off at its beginning.
    has_kernel: bool,
    /// Whether the kernel writes time stamps.
    has_times: bool,
    bytes: u64,
    /// The number of bytes that do not occur in text.
    strange: u64,
    recent: VecDeque<Line>,
    excerpt: Excerpt,
    trace: Vec<Line>,
    load_offset: u64,
}

/// The lines around the first one that matters.
#[derive(Debug, Default)]
struct Excerpt {
    /// The number of the first line that matters.
    line: Option<u64>,
    lines: Vec<Line>,
    /// The number of lines that `lines` still lacks.
    more: usize,
}

impl Current {
    fn new(first: u64, goal: &Goal) -> Self {
        Current {
            first,
            console: Console::new(goal.expect.as_deref(), goal.anywhere),
            findings: Findings::default(),
            has_output: false,
            has_kernel: false,
            has_times: false,
            bytes: 0,
            strange: 0,
            recent: VecDeque::new(),
            excerpt: Excerpt::default(),
            trace: Vec::new(),
            load_offset: 0,
        }
    }

    /// Whether `line` begins the next boot.
    fn is_over(&self, line: &str) -> bool {
        let message = message(line);
        let is_stamped = message.len() < line.len();
        // The beginning of its log may be cut off.
        let is_under_way = self.has_kernel || self.findings.has_panic();
        // A program may print the version, too, but without a time stamp.
        is_under_way && (is_first(message) && (is_stamped || !self.has_times) || begins_boot(line))
    }

    fn feed(&mut self, line: &str, ends: bool) {
        let Current {
            console, findings, ..
        } = self;
        console.feed(line.as_bytes(), |message| findings.take(message));
        if ends {
            console.feed(b"\n", |message| findings.take(message));
        }
    }

    /// Records the line for the excerpt.
    fn record(&mut self, line: Line) {
        let cause = self.findings.cause_line();
        if cause != self.excerpt.line {
            // This line has a new cause; or there is no cause any more, because the kernel continued.
            self.excerpt = Excerpt {
                line: cause,
                lines: self.recent.iter().cloned().collect(),
                more: AFTER + 1,
            };
        }
        if cause.is_some() && self.trace.len() < TRACE && trace::place(&line.text).is_some() {
            self.trace.push(line.clone());
        }
        self.load_offset = trace::load_offset(&line.text).unwrap_or(self.load_offset);
        if self.excerpt.more > 0 {
            self.excerpt.more -= 1;
            self.excerpt.lines.push(line.clone());
        }
        if self.recent.len() == BEFORE {
            self.recent.pop_front();
        }
        self.recent.push_back(line);
    }

    /// Records another piece of the last line.
    fn extend(&mut self, piece: Line) {
        let lines = [self.recent.back_mut(), self.excerpt.lines.last_mut()];
        for line in lines.into_iter().flatten() {
            if line.number == piece.number {
                let free = SHOWN.saturating_sub(line.text.chars().count());
                line.text.extend(piece.text.chars().take(free));
            }
        }
    }

    fn end(self, ending: Ending, goal: &Goal, last: u64) -> Boot {
        let observed = Observed {
            goal,
            console: &self.console,
            findings: &self.findings,
            has_output: self.has_output,
            seen_after: (self.console.seen() == Seen::Yes).then_some(Duration::ZERO),
            user_quit: false,
        };
        let verdict = match self.is_garbage() {
            true => Verdict::Garbage,
            false => observed.verdict(ending, RunnerEnd::default()),
        };
        let excerpt = match (self.excerpt.line, &verdict) {
            (_, Verdict::Garbage | Verdict::Seen { .. }) => Vec::new(),
            (Some(_), _) => self.excerpt.lines,
            (None, _) => self.recent.into(),
        };
        Boot {
            first: self.first,
            last,
            verdict,
            excerpt,
            trace: self.trace,
            load_offset: self.load_offset,
            notes: self.findings.notes().to_vec(),
        }
    }

    /// Whether more than a fifth of the bytes do not occur in text, and no message was recognised.
    fn is_garbage(&self) -> bool {
        self.strange > self.bytes / 5
            && self.findings.reached() <= Reached::Output
            && self.findings.list(&self.console.unfinished()).is_empty()
    }
}

/// The kernel's message in `line`: what follows the last time stamp, or all of it.
fn message(line: &str) -> &str {
    Message::after_stamp(line)
}

/// Whether a time stamp is later than those of the first messages.
fn is_late(stamp: &str) -> bool {
    let (seconds, _) = stamp.split_once(']').unwrap_or_default();
    let (_, seconds) = seconds.rsplit_once('[').unwrap_or_default();
    seconds.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
}

/// Whether `line` is the first line of a firmware, a boot loader or the kernel's decompressor, or of the next boot in a journal.
fn begins_boot(line: &str) -> bool {
    const OTHERS: &[&str] = &[
        "-- Boot ",
        "-- Reboot --",
        "GNU GRUB ",
        "iPXE ",
        "Booting Linux on ",
    ];
    early(line).is_some()
        || OTHERS
            .iter()
            .any(|beginning| message(line).starts_with(beginning))
}

impl Explainer {
    /// Starts before the first line. `goal` names the expected text; its limits have no effect here.
    pub fn new(goal: Goal) -> Self {
        let current = Current::new(1, &goal);
        Explainer {
            goal,
            prefix: Prefix::default(),
            number: 1,
            in_line: false,
            current,
            done: Vec::new(),
        }
    }

    /// Takes a line without its newline; or, unless `ends`, a piece of a line that goes on.
    pub fn take(&mut self, bytes: &[u8], ends: bool) {
        // After a carriage return, a terminal writes over the line: a progress, or a spinner. Each of its states is a message.
        let mut states = bytes
            .split(|byte| *byte == b'\r')
            .filter(|state| !state.trim_ascii().is_empty())
            .peekable();
        if states.peek().is_none() {
            self.take_state(bytes, ends);
        }
        while let Some(state) = states.next() {
            self.take_state(state, ends || states.peek().is_some());
        }
        self.number += u64::from(ends);
    }

    /// Takes a state of the current line, or a piece of it.
    fn take_state(&mut self, bytes: &[u8], ends: bool) {
        let text = without_controls(bytes);
        let text = text.trim_end();
        let line = match self.in_line {
            true => text.to_owned(),
            false => self.prefix.strip(text),
        };
        if !self.in_line && self.current.is_over(&line) {
            self.next_boot();
        }
        let current = &mut self.current;
        let strange = bytes.iter().filter(|byte| is_control(**byte)).count()
            + text.matches('\u{fffd}').count();
        current.bytes += bytes.len() as u64;
        current.strange += strange as u64;
        current.has_output |= !text.is_empty();
        let message = message(&line);
        let is_stamped = message.len() < line.len();
        current.has_times |= is_stamped;
        current.has_kernel |= is_first(message) || is_late(&line[..line.len() - message.len()]);
        current.findings.at_line(self.number);
        if is_stamped {
            // A quiet kernel does not print its version, but errors.
            current.findings.withdraw_no_kernel();
        }
        current.feed(&line, ends);
        if !text.is_empty() {
            let shown = Line {
                number: self.number,
                text: text.chars().take(SHOWN).collect(),
            };
            match self.in_line {
                true => current.extend(shown),
                false => current.record(shown),
            }
        }
        self.in_line = !ends;
    }

    fn next_boot(&mut self) {
        let next = Current::new(self.number, &self.goal);
        let last = std::mem::replace(&mut self.current, next);
        let ended = last.end(Ending::LogEnded, &self.goal, self.number - 1);
        self.done.push(ended);
    }

    /// The boots. `ending` says why the reading ended.
    pub fn end(mut self, ending: Ending) -> Vec<Boot> {
        let last = self.number - u64::from(!self.in_line);
        // Blank lines after the last boot are not a boot.
        if self.current.has_output || self.done.is_empty() {
            self.done
                .push(self.current.end(ending, &self.goal, last.max(1)));
        }
        self.done
    }

    /// Whether the boot is over, so that more of the log adds only details.
    pub fn is_decided(&self) -> bool {
        let Current {
            console, findings, ..
        } = &self.current;
        let oopsed = findings.has_oops() && self.goal.expect.is_some();
        let ended = matches!(
            findings.shutdown(),
            Some(Shutdown::PowerOff | Shutdown::Halt)
        );
        console.seen() == Seen::Yes || findings.has_panic() || ended || oopsed
    }
}

/// Whether this byte does not occur in text.
fn is_control(byte: u8) -> bool {
    // A serial line may begin or end with zeros.
    byte < b' ' && !b"\0\x07\x08\t\n\x0b\x0c\r\x1b".contains(&byte) || byte == 0x7f
}

#[cfg(test)]
mod tests;
