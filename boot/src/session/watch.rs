//! Decides when the watching of a guest ends. It reads no clock and no process: the caller passes times
//! and bytes.

use std::time::{Duration, Instant};

use crate::console::stream::{Console, Seen};
use crate::session::keys::Keys;
use crate::session::settle::{Look, Settle};
use crate::verdict::Verdict;
use crate::verdict::findings::{Findings, Shutdown};
use crate::verdict::judge::{Ending, Goal, Observed, RunnerEnd};

/// The time for the details after a panic, for a panic after an oops, for QEMU's reason after it stopped
/// the guest, and for QEMU's stderr after the end of the console.
const GRACE: Duration = Duration::from_secs(1);

/// The time for QEMU to end after the guest announced a halt. If the guest leaves the machine on, QEMU
/// never ends.
const HALT: Duration = Duration::from_millis(200);

/// A guest is quiet after this time without output. The kernel's last line, about its clock, comes a second after init's first.
const QUIET: Duration = Duration::from_millis(1500);

/// A guest that has written nothing is quiet after this time.
const SILENT: Duration = Duration::from_secs(5);

/// The observations of a guest so far.
#[derive(Debug)]
pub struct Watch {
    goal: Goal,
    started: Instant,
    console: Console,
    mention: Option<Mention>,
    findings: Findings,
    /// The user's keys.
    pub keys: Keys,
    last_output: Option<Instant>,
    active: Option<Instant>,
    pub(crate) seen: Option<Instant>,
    settle: Option<Settle>,
    panicked: Option<Instant>,
    oopsed: Option<Instant>,
    halted: Option<Instant>,
    stopped: Option<Instant>,
    closed: Option<Instant>,
}

/// A text to tell the user about.
#[derive(Debug)]
struct Mention {
    text: String,
    console: Console,
    seen: Option<Instant>,
}

impl Watch {
    /// Watches a guest whose QEMU was started at `started`.
    pub fn new(goal: Goal, started: Instant) -> Self {
        let console = Console::new(goal.expect.as_deref(), goal.anywhere);
        let mention = goal.mention.clone().map(|text| Mention {
            console: Console::new(Some(&text), goal.anywhere),
            text,
            seen: None,
        });
        let keys = Keys::default();
        Watch {
            goal,
            started,
            console,
            mention,
            findings: Findings::default(),
            keys,
            last_output: None,
            active: None,
            seen: None,
            settle: None,
            panicked: None,
            oopsed: None,
            halted: None,
            stopped: None,
            closed: None,
        }
    }

    /// Takes output of the guest that arrived `at` that time.
    pub fn output(&mut self, bytes: &[u8], at: Instant) {
        self.console
            .feed(bytes, |message| self.findings.take(message));
        self.last_output = Some(at);
        if self.console.seen() == Seen::Yes {
            self.seen = self.seen.or(Some(at));
        } else {
            // A later line may show that the kernel or the firmware wrote the text.
            self.seen = None;
            self.settle = None;
        }
        if let Some(mention) = &mut self.mention {
            mention.console.feed(bytes, |_| ());
            let is_seen = mention.console.seen() == Seen::Yes;
            mention.seen = is_seen.then(|| mention.seen.unwrap_or(at));
        }
        self.panicked = self.panicked.or(self.console.panicked().then_some(at));
        self.oopsed = self.oopsed.or(self.findings.has_oops().then_some(at));
        let halted = self.findings.shutdown() == Some(Shutdown::Halt);
        self.halted = self.halted.or(halted.then_some(at));
    }

    /// Records that the guest did something other than to write to its console.
    pub fn active(&mut self, at: Instant) {
        self.active = Some(at);
    }

    /// Records the end of the console. QEMU may have ended earlier: a slow reader of boot's stdout delays
    /// the last output.
    pub fn closed(&mut self, at: Instant) {
        self.closed = Some(at);
    }

    /// Records when QEMU stopped the guest, or that the guest runs again.
    pub fn stopped(&mut self, since: Option<Instant>) {
        self.stopped = since;
    }

    /// The time at which the watching ends if no other event comes, and the reason.
    pub fn due(&self) -> Option<(Instant, Ending)> {
        let after =
            |since: Instant, time: Duration, ending| since.checked_add(time).map(|at| (at, ending));
        // Without an expected text, the user decides whether to continue after an oops.
        let oopsed = self.oopsed.filter(|_| self.goal.expect.is_some());
        if let Some(closed) = self.closed {
            after(closed, GRACE, Ending::QemuGone)
        } else if let Some(panicked) = self.panicked {
            // On a busy host the guest may pause in the middle of the reason.
            let grace = if self.findings.has_panic() {
                GRACE
            } else {
                GRACE * 10
            };
            after(panicked, grace, Ending::Panicked)
        } else if let Some(halted) = self.halted {
            after(halted, HALT, Ending::Halted)
        } else if let Some(stopped) = self.stopped {
            after(stopped, GRACE, Ending::Stopped)
        } else if let Some(oopsed) = oopsed {
            after(oopsed, GRACE, Ending::Oopsed)
        } else if self.seen.is_some() {
            let settled = self.settle.as_ref().and_then(Settle::settled);
            settled.map(|at| (at, Ending::Expected))
        } else {
            let silent_since = self.last_output.max(self.active).unwrap_or(self.started);
            let stalled = self.goal.stall;
            let stalled = stalled.and_then(|time| after(silent_since, time, Ending::Stalled));
            let timeout = self.goal.timeout;
            let timed_out = timeout.and_then(|time| after(self.started, time, Ending::TimedOut));
            stalled
                .into_iter()
                .chain(timed_out)
                .min_by_key(|(at, _)| *at)
        }
    }

    /// The time of the next look at QEMU's threads, if one is needed.
    pub fn look_due(&self) -> Option<Instant> {
        let seen = self.seen.filter(|_| self.due().is_none())?;
        match &self.settle {
            Some(settle) => Some(settle.next()),
            None => seen.checked_add(self.goal.settle),
        }
    }

    /// Takes a look that ended `at`, or nothing if the threads cannot be read.
    pub fn look(&mut self, look: Option<Look>, at: Instant) {
        let settle = self.settle.get_or_insert_with(|| Settle::new(at));
        settle.take(look, at);
    }

    /// The time at which the guest becomes quiet if it writes nothing more. A guest that ends never does.
    pub fn quiet(&self) -> Option<Instant> {
        let ends = self.panicked.or(self.halted).or(self.closed).is_some();
        let quiet = self
            .last_output
            .map_or(self.started + SILENT, |at| at + QUIET);
        (!ends).then_some(quiet)
    }

    /// A sentence for a user at a terminal whose guest has become quiet.
    pub fn hint(&self) -> String {
        match &self.mention {
            _ if !self.has_output() => {
                "the guest has written nothing yet; Ctrl-C ends it".to_owned()
            }
            Some(Mention {
                text,
                seen: Some(seen),
                ..
            }) => {
                let seconds = (*seen - self.started).as_secs_f64();
                format!("saw {text:?} {seconds:.2} s after the start; Ctrl-C ends the guest")
            }
            _ => "the guest is quiet; Ctrl-C ends it".to_owned(),
        }
    }

    /// When the text was seen that ends the watching, or of which the user is told.
    pub fn text_seen(&self) -> Option<Instant> {
        self.seen.or_else(|| self.mention.as_ref()?.seen)
    }

    /// The verdict after the watching ended with `ending`.
    pub fn verdict(&self, ending: Ending, qemu: RunnerEnd) -> Verdict {
        let observed = Observed {
            goal: &self.goal,
            console: &self.console,
            findings: &self.findings,
            has_output: self.has_output(),
            seen_after: self.seen.map(|at| at - self.started),
            user_quit: self.keys.reached_qemu(),
        };
        observed.verdict(ending, qemu)
    }

    /// Whether the guest wrote anything.
    pub fn has_output(&self) -> bool {
        self.last_output.is_some()
    }

    /// Whether the guest's next byte begins a line.
    pub fn at_line_start(&self) -> bool {
        self.console.at_line_start()
    }

    /// Whether the guest may have changed the terminal's colours.
    pub fn escapes(&self) -> bool {
        self.console.escapes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn watch(expect: Option<&str>) -> (Watch, Instant) {
        let goal = Goal {
            expect: expect.map(Into::into),
            settle: 100 * MS,
            timeout: Some(9000 * MS),
            ..Goal::default()
        };
        let start = Instant::now();
        (Watch::new(goal, start), start)
    }

    #[test]
    fn the_next_ending_depends_on_the_observations() {
        let (mut watch, start) = watch(Some("Hello"));
        assert_eq!(watch.due(), Some((start + 9000 * MS, Ending::TimedOut)));
        watch.output(b"Hel", start + MS);
        watch.output(b"lo", start + 5 * MS);
        watch.output(b"Hello again", start + 6 * MS);
        assert_eq!(watch.due(), None);
        assert_eq!(watch.look_due(), Some(start + 105 * MS));
        for at in [105, 110, 155] {
            assert_eq!(watch.due(), None);
            let at = start + at * MS;
            let look = Look {
                began: at,
                ended: at,
                threads: vec![],
                unread: false,
            };
            watch.look(Some(look), at);
        }
        assert_eq!(watch.due(), Some((start + 155 * MS, Ending::Expected)));
        assert_eq!(watch.look_due(), None);
        watch.output(b"\nKernel panic - not syncing: x", start + 9 * MS);
        assert_eq!(watch.due(), Some((start + 10009 * MS, Ending::Panicked)));
        watch.output(b"yz\n", start + 900 * MS);
        assert_eq!(watch.due(), Some((start + 1009 * MS, Ending::Panicked)));
        watch.closed(start + 20 * MS);
        assert_eq!(watch.due(), Some((start + 1020 * MS, Ending::QemuGone)));
    }

    #[test]
    fn a_text_of_the_firmware_does_not_start_the_wait() {
        let (mut watch, start) = watch(Some("Hello"));
        watch.output(b"Hello\n", start + MS);
        assert_eq!(watch.look_due(), Some(start + 101 * MS));
        watch.output(b"[    0.000000] Linux version 6.12.95\n", start + 2 * MS);
        assert_eq!(watch.look_due(), None);
        assert_eq!(watch.due(), Some((start + 9000 * MS, Ending::TimedOut)));
        watch.output(b"Hello\n", start + 9 * MS);
        assert_eq!(watch.look_due(), Some(start + 109 * MS));
    }

    #[test]
    fn the_user_hears_of_a_silent_guest_and_of_the_text() {
        let start = Instant::now();
        let goal = Goal {
            mention: Some("Hello".to_owned()),
            ..Goal::default()
        };
        let mut watch = Watch::new(goal, start);
        assert_eq!(watch.quiet(), Some(start + 5000 * MS));
        assert_eq!(
            watch.hint(),
            "the guest has written nothing yet; Ctrl-C ends it"
        );
        watch.output(b"[    0.000000] Linux version 6.12.95 Hello\n", start + MS);
        assert_eq!(watch.quiet(), Some(start + 1501 * MS));
        assert_eq!(watch.hint(), "the guest is quiet; Ctrl-C ends it");
        watch.output(b"Hello\n", start + 120 * MS);
        assert_eq!(watch.text_seen(), Some(start + 120 * MS));
        assert_eq!(
            watch.hint(),
            "saw \"Hello\" 0.12 s after the start; Ctrl-C ends the guest"
        );
        assert_eq!(watch.due(), None, "the user ends it");
    }

    #[test]
    fn silence_counts_from_the_last_byte() {
        let (mut watch, start) = watch(Some("Hello"));
        watch.goal.stall = Some(500 * MS);
        assert_eq!(watch.due(), Some((start + 500 * MS, Ending::Stalled)));
        watch.output(b".", start + 300 * MS);
        assert_eq!(watch.due(), Some((start + 800 * MS, Ending::Stalled)));
        watch.output(b".", start + 8700 * MS);
        assert_eq!(watch.due(), Some((start + 9000 * MS, Ending::TimedOut)));
        watch.output(b"Hello", start + 8800 * MS);
        assert_eq!(watch.due(), None);
    }

    #[test]
    fn an_oops_ends_the_watching_only_with_an_expected_text() {
        let oops = b"Hello\n[    0.500000] BUG: unable to handle page fault\n";
        for (expect, due) in [
            (Some("Hello"), Some((1010, Ending::Oopsed))),
            (None, Some((9000, Ending::TimedOut))),
        ] {
            let (mut watch, start) = watch(expect);
            watch.output(oops, start + 10 * MS);
            let due = due.map(|(at, ending)| (start + at * MS, ending));
            assert_eq!(watch.due(), due);
        }
    }

    #[test]
    fn a_halt_ends_the_watching() {
        for message in [
            "System halted",
            "Power off not available: System halted instead",
        ] {
            let (mut watch, start) = watch(None);
            watch.output(format!("reboot: {message}\n").as_bytes(), start);
            assert_eq!(watch.due(), Some((start + 200 * MS, Ending::Halted)));
            assert_eq!(watch.quiet(), None);
        }
    }

    #[test]
    fn a_stopped_guest_ends_the_watching_unless_it_continues() {
        let (mut watch, start) = watch(Some("Hello"));
        watch.stopped(Some(start + MS));
        assert_eq!(watch.due(), Some((start + 1001 * MS, Ending::Stopped)));
        watch.stopped(None);
        assert_eq!(watch.due(), Some((start + 9000 * MS, Ending::TimedOut)));
    }

    #[test]
    fn a_huge_limit_is_no_limit() {
        let goal = Goal {
            timeout: Some(Duration::MAX),
            ..Goal::default()
        };
        assert_eq!(Watch::new(goal, Instant::now()).due(), None);
    }
}
