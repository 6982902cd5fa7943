//! Decides when a guest that wrote the expected text has come to rest.
//!
//! A guest may write the text and then fail: if init returns, the kernel panics a few milliseconds
//! later. So boot has to wait after the text. A fixed time is wrong: on a busy host the guest may not
//! run during that time, and on an idle host the time is wasted. QEMU's threads show the guest's
//! activity. The guest has come to rest when its threads have slept for [`REST`]. If it never rests, it
//! may use [`WORK`] of processor time, many times the time that a panic takes.
//!
//! This module reads no clock and no process: the caller passes times and threads.

use std::time::{Duration, Instant};

use crate::machine::threads::Thread;

/// The time that all threads must sleep, in total and without much work in between. A program that is
/// about to end sleeps for a shorter time, for example until the guest's next timer interrupt.
pub const REST: Duration = Duration::from_millis(50);

/// The processor time for a guest that never rests. From the text to the panic, a guest needs 1 to 10 ms.
pub const WORK: Duration = Duration::from_millis(200);

/// The limit for all of this. Only a guest that gets almost no processor time reaches it.
pub const LIMIT: Duration = Duration::from_secs(10);

/// The time to wait if QEMU's threads cannot be read.
pub const BLIND: Duration = Duration::from_secs(1);

/// The time between two looks.
const EVERY: Duration = Duration::from_millis(5);

/// One look at QEMU's threads. It takes a while on a busy host.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// When it began.
    pub began: Instant,
    /// When it ended.
    pub ended: Instant,
    /// QEMU's threads.
    pub threads: Vec<Thread>,
    /// Whether there is unread output. QEMU may be waiting until boot reads it.
    pub unread: bool,
}

/// Follows a guest until it has come to rest.
#[derive(Debug)]
pub struct Settle {
    begun: Instant,
    last: Option<Look>,
    rested: Duration,
    worked: Duration,
    next: Instant,
    settled: Option<Instant>,
}

impl Settle {
    /// Starts at `begun`.
    pub fn new(begun: Instant) -> Self {
        Settle {
            begun,
            last: None,
            rested: Duration::ZERO,
            worked: Duration::ZERO,
            next: begun,
            settled: None,
        }
    }

    /// The time of the next look.
    pub fn next(&self) -> Instant {
        self.next
    }

    /// The time at which the guest had come to rest, if it has.
    pub fn settled(&self) -> Option<Instant> {
        self.settled
    }

    /// Takes a look that ended `at`, or nothing if the threads cannot be read.
    pub fn take(&mut self, look: Option<Look>, at: Instant) {
        self.next = at + EVERY;
        let elapsed = at.saturating_duration_since(self.begun);
        let is_settled = match look {
            Some(look) => {
                if let Some(last) = &self.last {
                    let between = Between::new(last, &look);
                    // Exclude the time of the looks themselves.
                    let elapsed = look.began.saturating_duration_since(last.ended);
                    self.worked += between.ran;
                    // Even a guest at rest handles timer interrupts, so a little work is allowed.
                    if between.ran > elapsed / 5 {
                        self.rested = Duration::ZERO;
                    } else if between.rests {
                        self.rested += elapsed.saturating_sub(between.ran + between.waited);
                    }
                }
                self.last = Some(look);
                self.rested >= REST || self.worked >= WORK || elapsed >= LIMIT
            }
            // QEMU has ended; the end of its console follows.
            None if self.last.is_some() => elapsed >= LIMIT,
            None => elapsed >= BLIND,
        };
        if is_settled {
            self.settled = self.settled.or(Some(at));
        }
    }
}

/// The work of the threads between two looks.
struct Between {
    ran: Duration,
    waited: Duration,
    /// Whether the threads slept at both looks. Only then do `ran` and `waited` include all of the time
    /// in between: the kernel adds a thread's waiting time when the waiting ends.
    rests: bool,
}

impl Between {
    fn new(last: &Look, now: &Look) -> Self {
        let mut between = Between {
            ran: Duration::ZERO,
            waited: Duration::ZERO,
            rests: [last, now]
                .iter()
                .all(|look| !look.unread && look.threads.iter().all(|thread| thread.asleep)),
        };
        for thread in &now.threads {
            let before = last.threads.iter().find(|last| last.id == thread.id);
            let (ran, waited, faults) = before
                .map_or((Duration::ZERO, Duration::ZERO, thread.faults), |last| {
                    (last.ran, last.waited, last.faults)
                });
            between.ran += thread.ran.saturating_sub(ran);
            between.waited += thread.waited.saturating_sub(waited);
            between.rests &= thread.faults == faults;
        }
        between
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn look(at: Instant, threads: &[Thread]) -> Option<Look> {
        Some(Look {
            began: at,
            ended: at,
            threads: threads.to_vec(),
            unread: false,
        })
    }

    /// The activity of a thread between two looks: the milliseconds for which it ran, the milliseconds for
    /// which it waited for a processor, and whether it sleeps at the second look.
    type Does = (u32, u32, bool);

    /// The milliseconds until a guest is at rest whose threads do this every 5 ms.
    fn settled_after(does: impl Fn(u32) -> Vec<Does>) -> Option<u32> {
        settled_at_pace(5, does)
    }

    fn settled_at_pace(pace: u32, does: impl Fn(u32) -> Vec<Does>) -> Option<u32> {
        let begun = Instant::now();
        let mut settle = Settle::new(begun);
        let mut threads: Vec<Thread> = Vec::new();
        for number in 0..20_000 / pace {
            for (index, (ran, waited, asleep)) in does(number).into_iter().enumerate() {
                if index == threads.len() {
                    threads.push(Thread {
                        id: index as i32,
                        asleep,
                        ran: Duration::ZERO,
                        waited: Duration::ZERO,
                        faults: 0,
                    });
                }
                threads[index].ran += ran * MS;
                threads[index].waited += waited * MS;
                threads[index].asleep = asleep;
            }
            let at = begun + number * pace * MS;
            assert!(settle.settled().is_none() && settle.next() <= at);
            settle.take(look(at, &threads), at);
            if settle.settled().is_some() {
                return Some(number * pace);
            }
        }
        None
    }

    const SLEEPS: Does = (0, 0, true);
    const RUNS: Does = (5, 0, false);
    const STARVES: Does = (0, 0, false);

    #[test]
    fn a_sleeping_guest_is_soon_at_rest() {
        assert_eq!(settled_after(|_| vec![SLEEPS, SLEEPS]), Some(50));
    }

    #[test]
    fn a_guest_that_never_rests_may_work_for_a_while() {
        assert_eq!(settled_after(|_| vec![SLEEPS, RUNS]), Some(200));
    }

    #[test]
    fn a_guest_that_gets_no_processor_is_not_at_rest() {
        // It gets 1 ms of 20, so it takes 4 seconds to use its processor time.
        let starved = |number| {
            vec![
                SLEEPS,
                if number % 4 == 3 {
                    (1, 19, false)
                } else {
                    STARVES
                },
            ]
        };
        assert_eq!(settled_after(starved), Some(3995));
        assert_eq!(settled_after(|_| vec![SLEEPS, STARVES]), Some(10_000));
        // It sleeps at every look, but waited in between.
        let lucky = settled_after(|_| vec![SLEEPS, (0, 5, true)]);
        assert_eq!(lucky, Some(10_000));
    }

    #[test]
    fn a_guest_that_starts_working_again_is_not_at_rest() {
        let late = |number| vec![if number == 8 { (2, 0, true) } else { SLEEPS }];
        assert_eq!(settled_after(late), Some(40 + 50));
    }

    #[test]
    fn a_timers_interrupts_do_not_disturb_the_rest() {
        // 100 interrupts per second; every fourth look sees one.
        let ticks = |number: u32| {
            let tick = u32::from(number % 2 == 1);
            vec![(0, tick, number % 8 != 7), SLEEPS]
        };
        assert_eq!(settled_after(ticks), Some(70));
        // It takes longer if the threads wait for a processor.
        let busy = |_| vec![(0, 2, true), (0, 2, true)];
        assert_eq!(settled_after(busy), Some(250));
    }

    #[test]
    fn the_pace_of_looks_does_not_matter() {
        assert_eq!(settled_at_pace(100, |_| vec![SLEEPS]), Some(100));
        // A little work in a long time.
        let works = |_| vec![(20, 75, true)];
        assert_eq!(settled_at_pace(100, works), Some(1000));
    }

    #[test]
    fn the_time_of_a_look_is_not_rest() {
        let begun = Instant::now();
        let mut settle = Settle::new(begun);
        let thread = Thread {
            id: 1,
            asleep: true,
            ran: MS,
            waited: MS,
            faults: 0,
        };
        for number in 0..5 {
            let began = begun + number * 100 * MS;
            let ended = began + 99 * MS;
            let look =
                look(began, std::slice::from_ref(&thread)).map(|look| Look { ended, ..look });
            settle.take(look, ended);
        }
        assert_eq!(settle.settled(), None);
    }

    #[test]
    fn waiting_for_a_disk_or_a_reader_is_not_rest() {
        let begun = Instant::now();
        let thread = Thread {
            id: 1,
            asleep: true,
            ran: MS,
            waited: MS,
            faults: 0,
        };
        for (unread, faults) in [(true, 0), (false, 1)] {
            let mut settle = Settle::new(begun);
            for number in 0..100 {
                let at = begun + number as u32 * 5 * MS;
                let thread = Thread {
                    faults: faults * number,
                    ..thread.clone()
                };
                let look = look(at, &[thread]).map(|look| Look { unread, ..look });
                settle.take(look, at);
            }
            assert_eq!(settle.settled(), None);
        }
    }

    #[test]
    fn without_looks_the_guest_gets_a_fixed_time() {
        let begun = Instant::now();
        let mut settle = Settle::new(begun);
        settle.take(None, begun + 999 * MS);
        assert_eq!(settle.settled(), None);
        settle.take(None, begun + 1000 * MS);
        assert_eq!(settle.settled(), Some(begun + 1000 * MS));
        // If there were looks before, QEMU has ended.
        let mut settle = Settle::new(begun);
        settle.take(look(begun, &[]), begun);
        settle.take(None, begun + 1000 * MS);
        assert_eq!(settle.settled(), None);
    }
}
