//! A picture of rows on a time axis. It grows downwards.

use std::time::Duration;

use svg::Document;
use svg::node::element::{Element, Group, Title};

use super::Heading;
use super::shapes::{clean, halo, rectangle, text, upright};
use crate::profile::analysis::{millis, shortened};
use crate::profile::timeline::Timeline;

/// All lengths are in pixels. The height depends on the contents.
const WIDTH: f64 = 1000.0;
const MARGIN: f64 = 24.0;
const ROW: f64 = 22.0;
const BAR: f64 = 14.0;
/// The ends of the axis. Names are left of it, times right of it.
const LEFT: f64 = 330.0;
const RIGHT: f64 = 900.0;
/// The longest name left of the bars and the longest text across the picture, in characters.
pub const NAME: usize = 38;
const ACROSS: usize = 130;

const INK: &str = "#1a1a1a";
const FAINT: &str = "#595959";
const GRID: &str = "#d0d0d0";
const STRIPE: &str = "#f4f4f4";
/// Okabe and Ito's colours, distinguishable with every kind of colour vision.
pub const ORANGE: &str = "#e69f00";
pub const BLUE: &str = "#0072b2";
pub const GREEN: &str = "#009e73";
pub const PURPLE: &str = "#cc79a7";
pub const SKY: &str = "#56b4e9";
pub const VERMILION: &str = "#d55e00";

/// For output of unknown origin.
pub const GREY: &str = "#999999";

/// A picture that grows downwards.
pub struct Canvas {
    whole: f64,
    body: Group,
    /// The position of the next element.
    y: f64,
    /// The position of the axis, and the lower end of its lines.
    axis: f64,
    bottom: f64,
    /// Stripes behind every other row, to guide the eye from the name to the time.
    stripes: Group,
    odd: bool,
    /// The position of the next part of the legend.
    legend: f64,
}

impl Canvas {
    /// An empty picture for that much time.
    pub fn new(whole: Duration) -> Self {
        Canvas {
            whole: whole.as_secs_f64().max(1e-6),
            body: Group::new(),
            y: MARGIN,
            axis: 0.0,
            bottom: 0.0,
            stripes: Group::new().set("fill", STRIPE),
            odd: false,
            legend: MARGIN,
        }
    }

    fn add(&mut self, node: impl Into<Element>) {
        self.body = std::mem::take(&mut self.body).add(node.into());
    }

    fn x(&self, at: Duration) -> f64 {
        let part = (at.as_secs_f64() / self.whole).clamp(0.0, 1.0);
        LEFT + part * (RIGHT - LEFT)
    }

    /// Title and verdict.
    pub fn heading(&mut self, heading: &Heading) {
        self.y += 18.0;
        let title = text(MARGIN, self.y, &shortened(&heading.title, 90));
        self.add(title.set("font-size", 20).set("font-weight", "bold"));
        self.y += 24.0;
        let verdict = text(MARGIN, self.y, &shortened(heading.first_line(), ACROSS));
        let colour = if heading.failed { VERMILION } else { FAINT };
        self.add(verdict.set("font-size", 14).set("fill", colour));
        self.y += 14.0;
    }

    /// One entry of the legend, with its colour.
    pub fn legend(&mut self, name: &str, share: Duration, colour: &str) {
        if share.is_zero() {
            return;
        }
        let percent = 100.0 * share.as_secs_f64() / self.whole;
        let label = format!("{name}: {} ms ({percent:.0} %)", millis(share));
        let (x, y) = (self.legend, self.y + 16.0);
        self.add(rectangle(x, y - 11.0, 14.0, 14.0).set("fill", colour));
        self.add(text(x + 20.0, y, &label));
        // Allow for the widest font.
        self.legend += 56.0 + 7.5 * label.chars().count() as f64;
    }

    /// Puts the axis here. Its lines go from here to the end of the grid.
    pub fn axis(&mut self) {
        self.y += 56.0;
        self.axis = self.y;
        let unit = text(MARGIN, self.y - 6.0, "ms since the start");
        self.add(unit.set("fill", FAINT));
        self.y += 2.0;
    }

    /// A title over the rows that follow.
    pub fn section(&mut self, title: String) {
        self.odd = false;
        self.y += 24.0;
        let title = text(MARGIN, self.y, &title).set("font-weight", "bold");
        // The title lies over the lines of the grid.
        self.add(halo(title));
        self.y += 6.0;
    }

    /// Starts a row and returns its middle.
    fn next_row(&mut self) -> f64 {
        if self.odd {
            let stripe = rectangle(MARGIN, self.y, WIDTH - 2.0 * MARGIN, ROW);
            self.stripes = std::mem::take(&mut self.stripes).add(stripe);
        }
        self.odd = !self.odd;
        self.y += ROW;
        self.y - ROW / 2.0
    }

    /// A row with a name, a bar and a time.
    pub fn row(&mut self, name: &str, start: Duration, took: Duration, colour: &str) {
        let (from, to) = (self.x(start), self.x(start + took));
        let time = format!("{} ms", millis(took));
        let said = format!("{name}: {time}, from {} ms on", millis(start));
        let middle = self.next_row();
        // Keep the shortest bars visible.
        let bar =
            rectangle(from, middle - BAR / 2.0, (to - from).max(1.5), BAR).set("fill", colour);
        let row = Group::new()
            .add(Title::new(clean(&said)))
            .add(text(MARGIN + 10.0, middle + 4.5, &shortened(name, NAME)))
            .add(bar)
            .add(text(WIDTH - MARGIN, middle + 4.5, &time).set("text-anchor", "end"));
        self.add(row);
    }

    /// A row with a stroke for each line, when it arrived.
    pub fn strokes(&mut self, name: &str, timeline: &Timeline) {
        let middle = self.next_row();
        let mut strokes = Group::new()
            .set("stroke", INK)
            .set("stroke-opacity", 0.45)
            .add(Title::new("a stroke for each line, when it arrived"));
        let mut last = f64::MIN;
        for line in timeline.lines() {
            let x = self.x(line.begun);
            // Draw lines within half a pixel as one stroke, and none after the end of the axis.
            if x - last >= 0.5 && line.begun.as_secs_f64() <= self.whole {
                strokes = strokes.add(upright(x, middle - BAR / 2.0, middle + BAR / 2.0));
                last = x;
            }
        }
        let count = timeline.count().to_string();
        self.add(text(MARGIN + 10.0, middle + 4.5, name));
        self.add(strokes);
        self.add(text(WIDTH - MARGIN, middle + 4.5, &count).set("text-anchor", "end"));
    }

    /// Ends the rows.
    pub fn end_of_grid(&mut self) {
        self.bottom = self.y + 4.0;
        self.y += 6.0;
    }

    /// A text below the rows.
    pub fn note(&mut self, note: &str) {
        self.y += 20.0;
        self.add(text(MARGIN, self.y, &shortened(note, ACROSS)).set("fill", FAINT));
    }

    /// The document.
    pub fn finish(self, heading: &Heading) -> String {
        let height = self.y + MARGIN;
        let mut grid = Group::new().set("stroke", GRID);
        let mut labels = Group::new().set("text-anchor", "middle").set("fill", FAINT);
        let (step, decimals) = step(self.whole * 1e3);
        for tick in 0.. {
            let ms = f64::from(tick) * step;
            if ms > self.whole * 1e3 {
                break;
            }
            let x = LEFT + ms / (self.whole * 1e3) * (RIGHT - LEFT);
            grid = grid.add(upright(x, self.axis, self.bottom));
            labels = labels.add(text(x, self.axis - 6.0, &format!("{ms:.decimals$}")));
        }
        let name = format!("{}: {}", heading.title, heading.first_line());
        Document::new()
            .set("width", WIDTH)
            .set("height", height)
            .set("viewBox", (0, 0, WIDTH, height))
            .set("font-family", "Helvetica, Arial, 'DejaVu Sans', sans-serif")
            .set("font-size", 13)
            .set("fill", INK)
            .set("role", "img")
            .add(Title::new(clean(&name)))
            .add(rectangle(0.0, 0.0, WIDTH, height).set("fill", "white"))
            .add(self.stripes)
            .add(grid)
            .add(labels)
            .add(self.body)
            .to_string()
    }
}

/// The distance between two labels of the axis in milliseconds, and its number of decimals. The distance
/// is 1, 2 or 5 times a power of ten, for at most eight labels.
fn step(whole: f64) -> (f64, usize) {
    let least = (whole / 8.0).max(1e-3);
    let power = 10_f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|factor| factor * power >= least * 0.999);
    let step = factor.unwrap_or(10.0) * power;
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    (step, decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

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
