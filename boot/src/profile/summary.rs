//! A summary of a boot's phases and delays, in a few lines of plain text.

use std::time::Duration;

use crate::profile::analysis::{Analysis, millis, shortened};

/// The width of names and of bars, in characters. With the numbers, a line has less than 80.
const NAME: usize = 30;
const BAR: usize = 24;

/// The number of initcalls and of silences.
const INITCALLS: usize = 5;
const SILENCES: usize = 3;

/// `boot` as lines of text.
pub fn summary(boot: &Analysis) -> Vec<String> {
    let whole = boot.timeline.boot_end();
    let mut lines = vec![format!(
        "{:NAME$}{:>9}{:>9}",
        "Phases, by the host's clock", "at ms", "took ms"
    )];
    let row = |name: &str, start: Duration, took: Duration| {
        let name = shortened(name, NAME - 3);
        let (at, ms) = (millis(start), millis(took));
        let bar = bar(start, start + took, whole);
        format!("  {name:<27} {at:>9}{ms:>9}  {bar}")
    };
    for phase in &boot.phases {
        lines.push(row(phase.name, phase.start, phase.end - phase.start));
    }
    for (title, delays) in boot.delays(INITCALLS, SILENCES) {
        lines.push(title);
        let rows = delays.into_iter();
        lines.extend(rows.map(|(name, start, took)| row(name, start, took)));
    }
    lines.extend_from_slice(&boot.notes);
    lines
}

/// A bar from `start` to `end` on a line of length `whole`. Never empty.
fn bar(start: Duration, end: Duration, whole: Duration) -> String {
    let at = |time: Duration| {
        let part = time.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE);
        (part * BAR as f64).round().min(BAR as f64) as usize
    };
    let from = at(start).min(BAR - 1);
    let length = at(end).saturating_sub(from).max(1);
    " ".repeat(from) + &"#".repeat(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::symbols::Symbols;
    use crate::profile::timeline::tests::{ms, recorded};

    #[test]
    fn columns_are_aligned_and_fit_a_terminal() {
        let mut timeline = recorded(&[
            (150, "[    0.000000] Linux version 6.12.95"),
            (
                200,
                "[    0.000000] printk: legacy console [ttyS0] enabled, and much more to say",
            ),
            (500, "[    0.390000] Run /init as init process"),
            (600, "Hello, world!"),
        ]);
        timeline.ready = Some(ms(30));
        let boot = Analysis::new(timeline, "initcall_debug", &Symbols::default());
        assert_eq!(
            summary(&boot).join("\n"),
            "\
Phases, by the host's clock       at ms  took ms
  QEMU starts                      0.00     30.0  #
  firmware, silent kernel          30.0      120   #####
  memory and interrupts             150     50.0        ##
  clocks and processors             200      300          ############
  init                              500      100                      ####
Longest silences, by the line after
  Run /init as init process         200      300          ############
  printk: legacy console [...       150     50.0        ##
The kernel's own clock said 390 ms when it ran init.
Hint: initcall_debug is on the command line, but the console shows no initcalls: add loglevel=8."
        );
    }

    #[test]
    fn a_bar_stays_within_its_width() {
        assert_eq!(bar(ms(0), ms(10), ms(10)), "#".repeat(BAR));
        assert_eq!(bar(ms(10), ms(10), ms(10)), " ".repeat(BAR - 1) + "#");
        assert_eq!(bar(ms(5), ms(900), ms(10)).len(), BAR);
        assert_eq!(bar(ms(0), ms(0), ms(0)), "#");
    }
}
