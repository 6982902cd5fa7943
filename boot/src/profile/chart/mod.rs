//! A boot as a picture in SVG, with a row for each phase and for each of the longest delays.
//!
//! Each row has its name at the left and its time at the right, because text does not fit into bars that
//! are a pixel wide. Plotting crates have axes, but neither such rows nor tooltips for bars.

use crate::profile::analysis::Analysis;
use crate::profile::phases::Who;

mod canvas;
mod shapes;

use canvas::{BLUE, Canvas, GREEN, GREY, ORANGE, PURPLE, SKY};

/// The number of initcalls and of silences.
const INITCALLS: usize = 12;
const SILENCES: usize = 8;

/// The heading of the picture.
#[derive(Clone, Debug)]
pub struct Heading {
    /// The kernel and its machine.
    pub title: String,
    /// The verdict.
    pub verdict: String,
    /// Whether the verdict is a failure.
    pub failed: bool,
}

impl Heading {
    /// The verdict without its advice.
    fn first_line(&self) -> &str {
        self.verdict.lines().next().unwrap_or_default()
    }
}

/// `boot` as an SVG document.
pub fn chart(heading: &Heading, boot: &Analysis) -> String {
    let mut canvas = Canvas::new(boot.length());
    canvas.heading(heading);
    for who in Who::ALL {
        canvas.legend(who.name(), boot.share(who), colour(who));
    }
    canvas.axis();
    canvas.section("Phases, by the host's clock".into());
    for phase in &boot.phases {
        let took = phase.end - phase.start;
        canvas.row(phase.name, phase.start, took, colour(phase.who));
    }
    canvas.strokes("lines on the console", &boot.timeline);
    for (title, delays) in boot.delays(INITCALLS, SILENCES) {
        canvas.section(title);
        for delay in &delays {
            canvas.row(&delay.name, delay.start, delay.took, PURPLE);
        }
    }
    canvas.end_of_grid();
    for note in boot.notes() {
        canvas.note(&note);
    }
    canvas.finish(heading)
}

fn colour(who: Who) -> &'static str {
    match who {
        Who::Qemu => ORANGE,
        Who::Firmware => SKY,
        Who::Unknown => GREY,
        Who::Kernel => BLUE,
        Who::Init => GREEN,
    }
}

#[cfg(test)]
mod tests {
    use super::canvas::{NAME, VERMILION};
    use super::*;
    use crate::profile::symbols::Symbols;
    use crate::profile::timeline::tests::recorded;

    fn drawn(title: &str, lines: &[(u64, &str)]) -> String {
        let heading = Heading {
            title: title.into(),
            verdict: "kernel panic: no\n  second line".into(),
            failed: true,
        };
        chart(
            &heading,
            &Analysis::new(recorded(lines), "", Symbols::default()),
        )
    }

    #[test]
    fn everything_has_a_row_with_its_time() {
        let picture = drawn(
            "vmlinux on microvm",
            &[
                (100, "[    0.000000] Linux version 6.12.95"),
                (150, "[    0.000000] calling  slow_init+0x0/0x10 @ 1"),
                (
                    180,
                    "[    0.300000] initcall slow_init+0x0/0x10 returned 0 after 30001 usecs",
                ),
                (200, "[    0.300000] Run /init as init process"),
                (260, "Hello"),
            ],
        );
        for part in [
            "vmlinux on microvm",
            "kernel panic: no</text>",
            "kernel: 100 ms (38 %)",
            "<title>slow_init: 30.0 ms, from 150 ms on</title>",
        ] {
            assert!(picture.contains(part), "{part}: {picture}");
        }
        // slow_init from 150 to 180 of 260 ms, on 570 pixels.
        assert!(picture.contains(PURPLE));
        assert!(picture.contains(r#"width="65.77" x="658.85""#), "{picture}");
        assert!(picture.contains(VERMILION));
    }

    #[test]
    fn any_text_of_the_guest_gives_a_valid_document() {
        let evil = "[    0.000000] </text><script>&\u{fffe}\u{7}\"' ";
        let picture = drawn("<&>", &[(1, evil), (9, evil)]);
        assert!(picture.contains("&lt;&amp;&gt;") && picture.contains("&lt;script&gt;"));
        assert!(!picture.contains("<script") && !picture.contains(['\u{fffe}', '\u{7}']));
    }

    #[test]
    fn a_boot_without_length_can_be_drawn() {
        assert!(!drawn("x", &[]).contains("NaN"));
        assert!(!drawn("x", &[(0, "y")]).contains("inf"));
    }

    #[test]
    fn long_texts_are_cut() {
        let line = format!("[    0.000000] {}", "W".repeat(300));
        let picture = drawn(&"T".repeat(300), &[(1, "a"), (9, &line)]);
        assert!(picture.contains(&format!("{}...", "W".repeat(NAME - 3))));
    }
}
