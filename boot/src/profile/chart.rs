//! A boot as a picture in SVG, with a row for each phase and for each of the longest delays.
//!
//! Each row has its name at the left and its time at the right, because text does not fit into bars that
//! are a pixel wide. Plotting crates have axes, but neither such rows nor tooltips for bars.

use std::time::Duration;

use anyhow::Result;
use svg::Document;
use svg::node::Node;
use svg::node::element::{Element, Group, Line, Rectangle, Text, Title};

use crate::profile::analysis::{Analysis, millis, shortened};
use crate::profile::phases::Who;
use crate::profile::timeline::Timeline;
use crate::verdict::{Verdict, exit_code};

/// The number of initcalls and of silences.
const INITCALLS: usize = 12;
const SILENCES: usize = 8;

/// All lengths are in pixels. The height depends on the contents.
const WIDTH: f64 = 1000.0;
const MARGIN: f64 = 24.0;
const ROW: f64 = 22.0;
const BAR: f64 = 14.0;
/// The heights of the heading's lines, and of the axis.
const TITLE: f64 = 42.0;
const VERDICT: f64 = 66.0;
const LEGEND: f64 = 96.0;
const AXIS: f64 = 136.0;
/// The ends of the axis. Names are left of it, times right of it.
const LEFT: f64 = 330.0;
const RIGHT: f64 = 900.0;
/// The longest title, the longest name left of the bars and the longest text across the picture, in
/// characters.
const HEADING: usize = 90;
const NAME: usize = 38;
const ACROSS: usize = 130;

const INK: &str = "#1a1a1a";
const FAINT: &str = "#595959";
const GRID: &str = "#d0d0d0";
const STRIPE: &str = "#f4f4f4";
/// The colours of a delay and of a failure. These and the next are Okabe and Ito's, distinguishable with every kind
/// of colour vision.
const PURPLE: &str = "#cc79a7";
const VERMILION: &str = "#d55e00";
/// The programs, with their names and colours in the legend.
const PROGRAMS: [(Who, &str, &str); 5] = [
    (Who::Qemu, "qemu", "#e69f00"),
    (Who::Firmware, "firmware", "#56b4e9"),
    (Who::Unknown, "unknown", "#999999"),
    (Who::Kernel, "kernel", "#0072b2"),
    (Who::Init, "init", "#009e73"),
];

/// `boot` as an SVG document. `title` names the kernel and its machine.
pub fn chart(title: &str, end: &Result<Verdict>, boot: &Analysis) -> String {
    let (verdict, failed) = match end {
        Ok(verdict) => (
            verdict.sentence(),
            verdict.exit_code() != exit_code::SUCCESS,
        ),
        Err(error) => (format!("{error:#}"), true),
    };
    // Without its advice.
    let verdict = verdict.lines().next().unwrap_or_default();
    let mut picture = Picture {
        whole: boot.timeline.boot_end().as_secs_f64().max(1e-6),
        y: AXIS + 2.0,
        body: Group::new(),
        stripes: Group::new().set("fill", STRIPE),
        odd: false,
    };
    picture.heading(title, verdict, failed);
    picture.legend(boot);
    picture.section("Phases, by the host's clock");
    for phase in &boot.phases {
        let program = PROGRAMS.iter().find(|(who, ..)| *who == phase.who);
        let colour = program.map_or(INK, |(.., colour)| colour);
        picture.bar(phase.name, phase.start, phase.end - phase.start, colour);
    }
    picture.strokes(&boot.timeline);
    for (title, delays) in boot.delays(INITCALLS, SILENCES) {
        picture.section(&title);
        for (name, start, took) in delays {
            picture.bar(name, start, took, PURPLE);
        }
    }
    let (grid, labels) = picture.grid();
    picture.y += 6.0;
    for note in &boot.notes {
        picture.y += 20.0;
        picture.add(text(MARGIN, picture.y, &shortened(note, ACROSS)).set("fill", FAINT));
    }
    let height = picture.y + MARGIN;
    Document::new()
        .set("width", WIDTH)
        .set("height", height)
        .set("viewBox", (0, 0, WIDTH, height))
        .set("font-family", "Helvetica, Arial, 'DejaVu Sans', sans-serif")
        .set("font-size", 13)
        .set("fill", INK)
        .set("role", "img")
        .add(Title::new(clean(&format!("{title}: {verdict}"))))
        .add(rectangle(0.0, 0.0, WIDTH, height).set("fill", "white"))
        .add(picture.stripes)
        .add(grid)
        .add(labels)
        .add(picture.body)
        .to_string()
}

/// The rows of the picture. It grows downwards.
struct Picture {
    /// The length of the axis in seconds.
    whole: f64,
    /// The position of the next element.
    y: f64,
    body: Group,
    /// Stripes behind every other row, to guide the eye from the name to the time.
    stripes: Group,
    odd: bool,
}

impl Picture {
    fn add(&mut self, node: impl Into<Element>) {
        self.body.append(node.into());
    }

    fn x(&self, seconds: f64) -> f64 {
        LEFT + (seconds / self.whole).clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    fn heading(&mut self, title: &str, verdict: &str, failed: bool) {
        let title = text(MARGIN, TITLE, &shortened(title, HEADING));
        self.add(title.set("font-size", 20).set("font-weight", "bold"));
        let verdict = text(MARGIN, VERDICT, &shortened(verdict, ACROSS));
        let colour = if failed { VERMILION } else { FAINT };
        self.add(verdict.set("font-size", 14).set("fill", colour));
    }

    /// The shares of the programs, and the unit of the axis.
    fn legend(&mut self, boot: &Analysis) {
        let mut x = MARGIN;
        for (who, name, colour) in PROGRAMS {
            let share = boot.share(who);
            if !share.is_zero() {
                let percent = 100.0 * share.as_secs_f64() / self.whole;
                let label = format!("{name}: {} ms ({percent:.0} %)", millis(share));
                self.add(rectangle(x, LEGEND - 11.0, 14.0, 14.0).set("fill", colour));
                self.add(text(x + 20.0, LEGEND, &label));
                // Allow for the widest font.
                x += 56.0 + 7.5 * label.chars().count() as f64;
            }
        }
        self.add(text(MARGIN, AXIS - 6.0, "ms since the start").set("fill", FAINT));
    }

    /// A title over the rows that follow. Its white rim makes it readable over the lines of the grid.
    fn section(&mut self, title: &str) {
        self.odd = false;
        let title = text(MARGIN, self.y + 24.0, title)
            .set("font-weight", "bold")
            .set("stroke", "white")
            .set("stroke-width", 4)
            .set("paint-order", "stroke");
        self.add(title);
        self.y += 30.0;
    }

    /// Starts a row. Returns its middle, and its texts at the left and at the right.
    fn row(&mut self, name: &str, number: &str) -> (f64, Text, Text) {
        if self.odd {
            let stripe = rectangle(MARGIN, self.y, WIDTH - 2.0 * MARGIN, ROW);
            self.stripes.append(stripe);
        }
        self.odd = !self.odd;
        let middle = self.y + ROW / 2.0;
        self.y += ROW;
        let name = text(MARGIN + 10.0, middle + 4.5, &shortened(name, NAME));
        let number = text(WIDTH - MARGIN, middle + 4.5, number).set("text-anchor", "end");
        (middle, name, number)
    }

    /// A row with a bar.
    fn bar(&mut self, name: &str, start: Duration, took: Duration, colour: &str) {
        let time = format!("{} ms", millis(took));
        let said = format!("{name}: {time}, from {} ms on", millis(start));
        let (middle, name, time) = self.row(name, &time);
        let [from, to] = [start, start + took].map(|at| self.x(at.as_secs_f64()));
        // Keep the shortest bars visible.
        let bar = rectangle(from, middle - BAR / 2.0, (to - from).max(1.5), BAR);
        let row = Group::new().add(Title::new(clean(&said))).add(name);
        self.add(row.add(bar.set("fill", colour)).add(time));
    }

    /// A row with a stroke for each line of the console.
    fn strokes(&mut self, timeline: &Timeline) {
        let count = timeline.count().to_string();
        let (middle, name, count) = self.row("lines on the console", &count);
        let mut strokes = Group::new()
            .set("stroke", INK)
            .set("stroke-opacity", 0.45)
            .add(Title::new("a stroke for each line, when it arrived"));
        let mut last = f64::MIN;
        for line in &timeline.lines {
            let at = line.begun.as_secs_f64();
            let x = self.x(at);
            // Draw lines within half a pixel as one stroke, and none after the end of the axis.
            if x - last >= 0.5 && at <= self.whole {
                strokes.append(upright(x, middle - BAR / 2.0, middle + BAR / 2.0));
                last = x;
            }
        }
        self.add(name);
        self.add(strokes);
        self.add(count);
    }

    /// The lines from the axis to here, and their labels.
    fn grid(&self) -> (Group, Group) {
        let mut grid = Group::new().set("stroke", GRID);
        let mut labels = Group::new().set("text-anchor", "middle").set("fill", FAINT);
        let whole = self.whole * 1e3;
        let (step, decimals) = step(whole);
        let ticks = (0..).map(|tick| f64::from(tick) * step);
        for ms in ticks.take_while(|ms| *ms <= whole) {
            let x = self.x(ms / 1e3);
            grid.append(upright(x, AXIS, self.y + 4.0));
            labels.append(text(x, AXIS - 6.0, &format!("{ms:.decimals$}")));
        }
        (grid, labels)
    }
}

/// The distance between two labels of the axis in milliseconds, and its number of decimals. The distance
/// is 1, 2 or 5 times a power of ten, for at most eight labels.
fn step(whole: f64) -> (f64, usize) {
    let least = (whole / 8.0).max(1e-3);
    let power = 10_f64.powf(least.log10().floor());
    let factors = [1.0, 2.0, 5.0].into_iter();
    let factor = factors.filter(|factor| factor * power >= least * 0.999);
    let step = factor.min_by(f64::total_cmp).unwrap_or(10.0) * power;
    (step, (-step.log10().floor()).max(0.0) as usize)
}

/// A text that begins at `x`.
fn text(x: f64, y: f64, content: &str) -> Text {
    let text = Text::new(clean(content));
    text.set("x", round(x)).set("y", round(y))
}

/// A rectangle without a colour yet.
fn rectangle(x: f64, y: f64, width: f64, height: f64) -> Rectangle {
    Rectangle::new()
        .set("x", round(x))
        .set("y", round(y))
        .set("width", round(width))
        .set("height", round(height))
}

/// A vertical line.
fn upright(x: f64, from: f64, to: f64) -> Line {
    let line = Line::new().set("x1", round(x)).set("x2", round(x));
    line.set("y1", round(from)).set("y2", round(to))
}

/// Rounds to a hundredth of a pixel, so that numbers stay short.
fn round(length: f64) -> f64 {
    (length * 100.0).round() / 100.0
}

/// The characters of `text` that XML 1.0 allows (section 2.2). The guest may write any.
fn clean(text: &str) -> String {
    let allowed = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars().filter(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::symbols::Symbols;
    use crate::profile::timeline::tests::recorded;

    fn drawn(title: &str, lines: &[(u64, &str)]) -> String {
        let end = Err(anyhow::anyhow!("kernel panic: no\n  second line"));
        let boot = Analysis::new(recorded(lines), "", &Symbols::default());
        chart(title, &end, &boot)
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

    #[test]
    fn the_axis_has_round_numbers() {
        for (whole, expected) in [
            (549.0, (100.0, 0)),
            (3084.0, (500.0, 0)),
            (8.0, (1.0, 0)),
            (1.5, (0.2, 1)),
            (80.0, (10.0, 0)),
        ] {
            let (step, decimals) = step(whole);
            assert!((step - expected.0).abs() < 1e-9, "{whole}: {step}");
            assert_eq!(decimals, expected.1);
        }
    }
}
