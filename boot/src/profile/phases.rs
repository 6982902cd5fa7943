//! The phases of a boot, found in the lines of its console.

use std::time::Duration;

use serde::Serialize;

use crate::console::author::{Early, early, is_first};
use crate::profile::timeline::{Line, Timeline, in_seconds};

/// The program that runs in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// QEMU.
    Qemu,
    /// The firmware, or a boot loader.
    Firmware,
    /// Not known: the kernel prints nothing before it has its console, or with `quiet`.
    Unknown,
    /// The kernel.
    Kernel,
    /// Init, and the programs that it starts.
    Init,
}

/// A phase of a boot.
#[derive(Debug, PartialEq, Serialize)]
pub struct Phase {
    /// Its work.
    pub name: &'static str,
    /// The program that does it.
    pub who: Who,
    /// Its start, since the start.
    #[serde(serialize_with = "in_seconds")]
    pub start: Duration,
    /// Its end.
    #[serde(serialize_with = "in_seconds")]
    pub end: Duration,
}

/// The beginnings of the lines with which a phase of the kernel starts, after its first line, and the
/// phase. They are in the order of start_kernel() and kernel_init(). A phase without such a line is part of
/// the phase before. (The kernel unpacks the initramfs in parallel to the initcalls.)
const KERNEL: &[(&str, &str)] = &[
    ("printk: legacy console [", "clocks and processors"),
    ("printk: console [", "clocks and processors"),
    ("console [", "clocks and processors"),
    ("pid_max: default", "processes and caches"),
    ("smp: Bringing up secondary", "initcalls"),
    ("Performance Events:", "initcalls"),
    ("devtmpfs: initialized", "initcalls"),
    ("clocksource: jiffies:", "initcalls"),
    ("Serial: 8250/16550 driver", "drivers, freeing init code"),
    (
        "Serial: AMBA PL011 UART driver",
        "drivers, freeing init code",
    ),
    ("Freeing unused kernel image", "write protection"),
    ("Freeing unused kernel memory", "write protection"),
];

const SILENT: (Who, &str) = (Who::Unknown, "firmware, silent kernel");
const UNKNOWN: (Who, &str) = (Who::Unknown, "output of unknown origin");

/// The phases of `timeline`, without gaps, from QEMU's start to the end of the boot.
pub fn phases(timeline: &Timeline) -> Vec<Phase> {
    let end = timeline.boot_end();
    let mut phases: Vec<Phase> = Vec::new();
    let mut begin = |at: Duration, (who, name): (Who, &'static str)| {
        let start = at.min(end);
        if let Some(last) = phases.last_mut() {
            if (last.who, last.name) == (who, name) {
                return;
            }
            last.end = start.max(last.start);
        }
        phases.push(Phase {
            name,
            who,
            start,
            end,
        });
    };
    let first = match timeline.ready {
        Some(_) => (Who::Qemu, "QEMU starts"),
        None if timeline.user_mode => (Who::Kernel, "silent kernel"),
        None => (Who::Unknown, "QEMU, firmware, silent kernel"),
    };
    begin(Duration::ZERO, first);
    if let Some(ready) = timeline.ready {
        begin(ready, SILENT);
    }
    // The kernel may go on printing after it has started init, when a module is loaded, say.
    let init = timeline.init.as_ref().map(|line| line.begun);
    let until_init = |line: &Line| init.is_none_or(|init| line.begun < init);
    let lines = &timeline.lines[..timeline.lines.partition_point(until_init)];
    // The kernel's messages start with its first line. (With a small buffer, that line may be lost; then
    // they start with the first time stamp.)
    let first = lines.iter().position(|line| is_first(&line.text));
    let stamped = || lines.iter().position(|line| line.guest.is_some());
    let kernel = first.or_else(|| init.and_then(|_| stamped()));
    let (before, after) = lines.split_at(kernel.unwrap_or(lines.len()));
    let mut speaks: Option<(Early, Option<&str>)> = None;
    for line in before {
        speaks = early(&line.text).or(speaks);
        match speaks {
            Some((Early::Firmware, last)) => {
                begin(line.begun, (Who::Firmware, "firmware's messages"));
                if last.is_some_and(|last| line.text.starts_with(last)) {
                    begin(line.ended, SILENT);
                    speaks = None;
                }
            }
            // The kernel prints this before it unpacks itself.
            Some((Early::Kernel, _)) => begin(line.begun, (Who::Kernel, "kernel unpacks itself")),
            // Ignore an empty line before a banner.
            None if line.text.is_empty() => {}
            None => begin(line.begun, UNKNOWN),
        }
    }
    if let Some(first) = after.first() {
        begin(first.begun, (Who::Kernel, "memory and interrupts"));
    }
    let has_times = after.first().is_some_and(|line| line.guest.is_some());
    let mut ahead = KERNEL;
    for line in after {
        if line.guest.is_some() != has_times {
            // If the kernel writes times, a line without one is a program's.
            if has_times && init.is_none() && !line.text.is_empty() {
                begin(line.begun, (Who::Init, "init, from its first line on"));
            }
            continue;
        }
        let next = ahead.iter().find(|(by, _)| line.text.starts_with(by));
        if let Some((_, name)) = next {
            begin(line.begun, (Who::Kernel, name));
            let last = ahead.iter().rposition(|(_, phase)| phase == name);
            ahead = &ahead[last.map_or(0, |last| last + 1)..];
        }
    }
    if let Some(init) = init {
        begin(init, (Who::Init, "init"));
    }
    phases.retain(|phase| phase.start < phase.end);
    phases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::timeline::tests::{ms, recorded};

    fn named(timeline: &Timeline) -> Vec<(&'static str, u64, u64)> {
        let millis = |at: Duration| at.as_millis() as u64;
        phases(timeline)
            .iter()
            .map(|phase| (phase.name, millis(phase.start), millis(phase.end)))
            .collect()
    }

    #[test]
    fn phases_follow_the_console_without_gaps() {
        let mut timeline = recorded(&[
            (150, "[    0.000000] Linux version 6.12.95"),
            (155, "[    0.000000] printk: legacy console [ttyS0] enabled"),
            (371, "[    0.210000] pid_max: default: 32768 minimum: 301"),
            (394, "[    0.230000] Performance Events: no PMU driver."),
            (402, "[    0.240000] clocksource: jiffies: mask: 0xffffffff"),
            (413, "[    0.250000] Unpacking initramfs..."),
            (427, "[    0.270000] Serial: 8250/16550 driver, 1 ports"),
            (548, "[    0.390000] Freeing unused kernel image (initmem)"),
            (555, "[    0.390000] Run /init as init process"),
            (560, "Hello, world!"),
            (900, "more"),
        ]);
        timeline.ready = Some(ms(30));
        timeline.expected = Some(ms(560));
        assert_eq!(
            named(&timeline),
            [
                ("QEMU starts", 0, 30),
                ("firmware, silent kernel", 30, 150),
                ("memory and interrupts", 150, 155),
                ("clocks and processors", 155, 371),
                ("processes and caches", 371, 394),
                ("initcalls", 394, 427),
                ("drivers, freeing init code", 427, 548),
                ("write protection", 548, 555),
                ("init", 555, 560),
            ]
        );
    }

    #[test]
    fn a_phase_without_its_line_is_part_of_the_phase_before() {
        let timeline = recorded(&[
            (20, "[    0.000000] Linux version 6.12.95"),
            (30, "[    0.000000] Serial: 8250/16550 driver, 1 ports"),
            // A line out of order starts no phase.
            (50, "[    0.000000] pid_max: default"),
            (60, "[    0.000000] Kernel panic - not syncing: x"),
        ]);
        assert_eq!(
            named(&timeline),
            [
                ("QEMU, firmware, silent kernel", 0, 20),
                ("memory and interrupts", 20, 30),
                ("drivers, freeing init code", 30, 60),
            ]
        );
    }

    #[test]
    fn no_phase_of_the_kernel_follows_the_start_of_init() {
        let timeline = recorded(&[
            (20, "[    0.000000] Linux version 6.12.95"),
            (40, "[    0.000000] Run /init as init process"),
            (60, "[    0.000000] Serial: 8250/16550 driver, 1 ports"),
            (70, "x"),
        ]);
        assert_eq!(
            named(&timeline),
            [
                ("QEMU, firmware, silent kernel", 0, 20),
                ("memory and interrupts", 20, 40),
                ("init", 40, 70),
            ]
        );
    }

    /// The author, start and end of each phase.
    fn at_work(timeline: &Timeline) -> Vec<(Who, u64, u64)> {
        let phases = phases(timeline).into_iter().zip(named(timeline));
        phases
            .map(|(phase, (_, start, end))| (phase.who, start, end))
            .collect()
    }

    #[test]
    fn the_author_of_a_phase_is_named_if_it_is_known() {
        let kernel = (30, "[    0.000000] Linux version 6.12.95");
        let run = (40, "[    0.000000] Run /init as init process");
        type Case<'a> = (&'a [(u64, &'a str)], &'a [(Who, u64, u64)]);
        let cases: [Case; 6] = [
            (
                &[
                    (10, ""),
                    (10, "OpenSBI v1.1"),
                    (12, "Boot HART MEDELEG : 0x1"),
                    kernel,
                    run,
                    (50, "Hello"),
                ],
                &[
                    (Who::Unknown, 0, 10),
                    (Who::Firmware, 10, 12),
                    (Who::Unknown, 12, 30),
                    (Who::Kernel, 30, 40),
                    (Who::Init, 40, 50),
                ],
            ),
            // 14 of the 21 seconds of a boot of Debian's.
            (
                &[(10, "Probing EDD (edd=off to disable)... ok"), kernel, run],
                &[
                    (Who::Unknown, 0, 10),
                    (Who::Kernel, 10, 30),
                    (Who::Kernel, 30, 40),
                ],
            ),
            // A kernel with `quiet`.
            (
                &[(10, "Hello"), (20, "[    0.500000] oh"), (30, "more")],
                &[(Who::Unknown, 0, 10), (Who::Unknown, 10, 30)],
            ),
            (
                &[(10, "what?"), kernel, run],
                &[
                    (Who::Unknown, 0, 10),
                    (Who::Unknown, 10, 30),
                    (Who::Kernel, 30, 40),
                ],
            ),
            // With loglevel=6, the kernel does not print that it runs init.
            (
                &[kernel, (40, "Hello"), (50, "more")],
                &[
                    (Who::Unknown, 0, 30),
                    (Who::Kernel, 30, 40),
                    (Who::Init, 40, 50),
                ],
            ),
            // The kernel prints no times.
            (
                &[
                    (10, "Linux version 6.12.95"),
                    (20, "x"),
                    (40, "Run /init as init process"),
                    (50, "x"),
                ],
                &[
                    (Who::Unknown, 0, 10),
                    (Who::Kernel, 10, 40),
                    (Who::Init, 40, 50),
                ],
            ),
        ];
        for (lines, expected) in cases {
            assert_eq!(at_work(&recorded(lines)), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_silent_guest_has_one_phase() {
        let mut timeline = Timeline::new(false);
        timeline.finish(ms(70));
        assert_eq!(named(&timeline), [("QEMU, firmware, silent kernel", 0, 70)]);
    }

    #[test]
    fn no_phase_follows_the_expected_text() {
        let mut timeline = recorded(&[(10, "login: "), (20, "[    0.000000] late")]);
        timeline.expected = Some(ms(10));
        assert_eq!(named(&timeline), [("QEMU, firmware, silent kernel", 0, 10)]);
    }
}
