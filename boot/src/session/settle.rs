//! When a guest that has written the expected text has come to rest.
//!
//! A guest may write the text and then fail: an init that returns makes the kernel panic a few
//! milliseconds later. So the text is a success only once nothing more is to come of it. A time on
//! the clock does not tell: on a busy host the guest may not run at all meanwhile, and on an idle
//! one it would be waited for in vain. What QEMU's threads do tells. The guest has come to rest
//! when they have slept for [`REST`]: it waits for something, with no work left. One that never
//! rests has used [`WORK`] of processor time instead, many times what a panic takes.
//!
//! No clock, no process: moments and threads come from outside.

use std::time::{Duration, Instant};

use crate::machine::threads::Thread;

/// How long all threads have to sleep, in total and without much work in between. Longer than what a
/// program that ends waits for by the way: some interrupts of the guest's timer, say.
pub const REST: Duration = Duration::from_millis(50);

/// How much processor time a guest gets that never rests. From the text to the panic, one needs 1 to
/// 10 ms.
pub const WORK: Duration = Duration::from_millis(200);

/// How long it may all take. Only a guest that gets next to no processor time needs that.
pub const LIMIT: Duration = Duration::from_secs(10);

/// How long a guest is waited for whose threads cannot be looked at.
pub const BLIND: Duration = Duration::from_secs(1);

/// How long after one look the next one is due.
const EVERY: Duration = Duration::from_millis(5);

/// What has been seen in one look, which takes a while on a busy host.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// When it began.
    pub began: Instant,
    /// When it ended.
    pub ended: Instant,
    /// QEMU's threads.
    pub threads: Vec<Thread>,
    /// Whether there is output that nobody has read, and that QEMU may be waiting for.
    pub unread: bool,
}

/// The watch on a guest's way to rest.
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
    /// Begins at that moment.
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

    /// When it is to be looked at again.
    pub fn next(&self) -> Instant {
        self.next
    }

    /// When it had come to rest.
    pub fn settled(&self) -> Option<Instant> {
        self.settled
    }

    /// Takes what was seen until `at`; nothing if it cannot be seen.
    pub fn take(&mut self, look: Option<Look>, at: Instant) {
        self.next = at + EVERY;
        let elapsed = at.saturating_duration_since(self.begun);
        let is_settled = match look {
            Some(look) => {
                if let Some(last) = &self.last {
                    let between = Between::new(last, &look);
                    // Not more than what the threads' times are about.
                    let elapsed = look.began.saturating_duration_since(last.ended);
                    self.worked += between.ran;
                    // A guest that is not at rest has a timer all the same, and handles its
                    // interrupts.
                    if between.ran > elapsed / 5 {
                        self.rested = Duration::ZERO;
                    } else if between.rests {
                        self.rested += elapsed.saturating_sub(between.ran + between.waited);
                    }
                }
                self.last = Some(look);
                self.rested >= REST || self.worked >= WORK || elapsed >= LIMIT
            }
            // QEMU has ended, and its console will.
            None if self.last.is_some() => elapsed >= LIMIT,
            None => elapsed >= BLIND,
        };
        if is_settled {
            self.settled = self.settled.or(Some(at));
        }
    }
}

/// What the threads have done from one look to the next.
struct Between {
    ran: Duration,
    waited: Duration,
    /// Whether they slept at both ends: what they did in between, if anything, is then in the times.
    /// (The time for which a thread waits is added when it is over.)
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

    /// What a thread does from one look to the next: for how many milliseconds it ran, waited for a
    /// processor, and whether it sleeps in the end.
    type Does = (u32, u32, bool);

    /// After how many milliseconds a guest is settled if `threads` of it do that in every 5.
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
    fn a_guest_that_waits_is_soon_at_rest() {
        assert_eq!(settled_after(|_| vec![SLEEPS, SLEEPS]), Some(50));
    }

    #[test]
    fn a_guest_that_never_rests_may_work_for_a_while() {
        assert_eq!(settled_after(|_| vec![SLEEPS, RUNS]), Some(200));
    }

    #[test]
    fn a_guest_that_gets_no_processor_is_not_at_rest() {
        // One millisecond of 20: 4 seconds until it has had its share.
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
        // Looked at only where it happens to sleep.
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
        // 100 a second; every fourth is seen.
        let ticks = |number: u32| {
            let tick = u32::from(number % 2 == 1);
            vec![(0, tick, number % 8 != 7), SLEEPS]
        };
        assert_eq!(settled_after(ticks), Some(70));
        // Where each of them waits for a processor longer than it sleeps, it takes longer.
        let busy = |_| vec![(0, 2, true), (0, 2, true)];
        assert_eq!(settled_after(busy), Some(250));
    }

    #[test]
    fn it_does_not_matter_how_often_it_is_looked_at() {
        assert_eq!(settled_at_pace(100, |_| vec![SLEEPS]), Some(100));
        // A little work in a long time.
        let works = |_| vec![(20, 75, true)];
        assert_eq!(settled_at_pace(100, works), Some(1000));
    }

    #[test]
    fn what_it_takes_to_look_is_no_rest() {
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
    fn neither_a_disk_nor_a_reader_that_it_waits_for_is_rest() {
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
    fn what_cannot_be_looked_at_is_waited_for() {
        let begun = Instant::now();
        let mut settle = Settle::new(begun);
        settle.take(None, begun + 999 * MS);
        assert_eq!(settle.settled(), None);
        settle.take(None, begun + 1000 * MS);
        assert_eq!(settle.settled(), Some(begun + 1000 * MS));
        // One that could be looked at before has ended.
        let mut settle = Settle::new(begun);
        settle.take(look(begun, &[]), begun);
        settle.take(None, begun + 1000 * MS);
        assert_eq!(settle.settled(), None);
    }
}
