//! The frequency of the host's time stamp counter (TSC).
//!
//! Under TCG, an x86-64 guest reads the host's counter. With `tsc_early_khz=`, the guest's kernel need not
//! measure its frequency. The measurement compares the counter with an emulated timer, takes 10 ms, and
//! fails on a busy host. Then the kernel's clock is only as fine as its timer interrupt.

use std::ops::RangeInclusive;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::machine::qemu::Accel;
use crate::machine::target::QemuTarget;

/// The time of the measurement. Both readings are exact to about 50 ns, so the frequency is exact to 50
/// millionths; Linux accepts 500.
const WATCHED: Duration = Duration::from_millis(1);

/// The range of plausible results, in kHz, for x86-64 processors.
const PLAUSIBLE: RangeInclusive<u64> = 400_000..=10_000_000;

/// The frequency in kHz for the guest's kernel, if the guest reads the host's counter.
pub fn of_guest(target: &QemuTarget, accel: Accel) -> Option<u64> {
    if target.has_tsc && accel == Accel::Tcg {
        khz()
    } else {
        None
    }
}

#[cfg(target_arch = "x86_64")]
fn khz() -> Option<u64> {
    let (started, first) = now();
    sleep(WATCHED);
    let (ended, last) = now();
    let ticks = u128::from(last.checked_sub(first)?);
    let khz = ticks * 1_000_000 / (ended - started).as_nanos();
    u64::try_from(khz)
        .ok()
        .filter(|khz| PLAUSIBLE.contains(khz))
}

#[cfg(not(target_arch = "x86_64"))]
fn khz() -> Option<u64> {
    None
}

/// The clock and the counter at one moment: the reading that took the least time, out of several.
#[cfg(target_arch = "x86_64")]
fn now() -> (Instant, u64) {
    let read = |_| {
        let before = counter();
        let time = Instant::now();
        let took = counter().saturating_sub(before);
        (took, time, before + took / 2)
    };
    let (_, time, count) = (0..8).map(read).min().expect("eight readings");
    (time, count)
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
fn counter() -> u64 {
    // SAFETY: reads a register that every x86-64 processor has.
    unsafe { std::arch::x86_64::_rdtsc() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::target::Target;

    #[test]
    fn the_counter_has_the_measured_frequency() {
        let khz = khz().expect("a plausible speed");
        let (started, first) = now();
        sleep(Duration::from_millis(20));
        let (ended, last) = now();
        let expected = (ended - started).as_nanos() * u128::from(khz) / 1_000_000;
        let off = u128::from(last - first).abs_diff(expected);
        assert!(
            off * 500 < expected,
            "{khz} kHz is off by {off} of {expected} ticks"
        );
    }

    #[test]
    fn only_a_guest_that_reads_the_counter_gets_the_frequency() {
        let told =
            |name, accel| of_guest(Target::named(name).unwrap().qemu().unwrap(), accel).is_some();
        assert!(told("x86_64", Accel::Tcg));
        assert!(!told("x86_64", Accel::Kvm));
        assert!(!told("aarch64", Accel::Tcg));
    }
}
