//! The parts of a boot, one after the other, by what is on the console.

use std::time::Duration;

use crate::profile::timeline::Timeline;

/// Who is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// QEMU, and the firmware or loader that it brings.
    Qemu,
    /// The kernel.
    Kernel,
    /// What PID 1 runs.
    Init,
}

/// A part of a boot.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// What is done in it.
    pub name: &'static str,
    /// Who does it.
    pub who: Who,
    /// When it began, since QEMU's start.
    pub start: Duration,
    /// When it ended.
    pub end: Duration,
}

/// The phases of the kernel after its first line: what each is about, and what the first line of it
/// begins with. In the order of start_kernel() and kernel_init(); one that none of the lines
/// announces is part of the one before. (The initramfs is unpacked beside the initcalls, at no fixed
/// place among them.)
const KERNEL: &[(&str, &[&str])] = &[
    (
        "clocks and processors",
        &["printk: legacy console [", "printk: console [", "console ["],
    ),
    ("processes and caches", &["pid_max: default"]),
    (
        "initcalls",
        &[
            "smp: Bringing up secondary",
            "Performance Events:",
            "devtmpfs: initialized",
            "clocksource: jiffies:",
        ],
    ),
    (
        "drivers, freeing init code",
        &[
            "Serial: 8250/16550 driver",
            "Serial: AMBA PL011 UART driver",
        ],
    ),
    (
        "write protection",
        &[
            "Freeing unused kernel image",
            "Freeing unused kernel memory",
        ],
    ),
];

/// The parts of `timeline`, without a hole from QEMU's start until the expected text was seen, or
/// until the end if it was not.
pub fn phases(timeline: &Timeline) -> Vec<Phase> {
    let first = match timeline.ready {
        Some(_) => "QEMU starts",
        None => "QEMU, firmware, silent kernel",
    };
    let mut starts = vec![(Duration::ZERO, Who::Qemu, first)];
    let mut begin = |at: Option<Duration>, who, name| {
        if let Some(at) = at {
            starts.push((at, who, name));
        }
    };
    begin(timeline.ready, Who::Qemu, "firmware, silent kernel");
    let kernel = timeline.kernel().map(|moment| moment.host);
    // What comes before the kernel's first line is the firmware's, or a loader's.
    let firmware = timeline.first_byte().filter(|at| Some(*at) != kernel);
    begin(firmware, Who::Qemu, "firmware's messages");
    begin(kernel, Who::Kernel, "memory and interrupts");
    let mut ahead = KERNEL;
    for line in timeline.lines().iter().filter(|line| line.guest.is_some()) {
        let announces = |part: &&str| line.text.starts_with(part);
        let next = ahead.iter().position(|(_, by)| by.iter().any(announces));
        if let Some(index) = next {
            begin(Some(line.begun), Who::Kernel, ahead[index].0);
            ahead = &ahead[index + 1..];
        }
    }
    let init = timeline.init().map(|moment| moment.host);
    begin(init, Who::Init, "init");

    let end = timeline.expected.unwrap_or(timeline.end);
    let ends = starts.iter().skip(1).map(|(start, ..)| *start).chain([end]);
    let phase = |(&(start, who, name), next): (&(Duration, Who, &'static str), Duration)| Phase {
        name,
        who,
        start: start.min(end),
        end: next.clamp(start.min(end), end),
    };
    let phases = starts.iter().zip(ends).map(phase);
    phases.filter(|phase| phase.start < phase.end).collect()
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
    fn phases_follow_the_console_without_a_hole() {
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
    fn what_is_not_announced_is_part_of_what_was_before() {
        let timeline = recorded(&[
            (10, "SeaBIOS"),
            (20, "[    0.000000] Linux version 6.12.95"),
            (30, "[    0.000000] Serial: 8250/16550 driver, 1 ports"),
            // Init's own words announce nothing, nor does what comes out of turn.
            (40, "pid_max: default"),
            (50, "[    0.000000] pid_max: default"),
            (60, "[    0.000000] Kernel panic - not syncing: x"),
        ]);
        assert_eq!(
            named(&timeline),
            [
                ("QEMU, firmware, silent kernel", 0, 10),
                ("firmware's messages", 10, 20),
                ("memory and interrupts", 20, 30),
                ("drivers, freeing init code", 30, 60),
            ]
        );
    }

    #[test]
    fn a_guest_that_says_nothing_has_one_phase() {
        let mut timeline = Timeline::new();
        timeline.finish(ms(70));
        assert_eq!(named(&timeline), [("QEMU, firmware, silent kernel", 0, 70)]);
    }

    #[test]
    fn nothing_is_after_the_expected_text() {
        let mut timeline = recorded(&[(10, "login: "), (20, "[    0.000000] late")]);
        timeline.expected = Some(ms(10));
        assert_eq!(named(&timeline), [("QEMU, firmware, silent kernel", 0, 10)]);
    }
}
