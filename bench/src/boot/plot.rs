//! The results as pictures, in SVG.

use std::fmt::Display;

use svg::Document;
use svg::node::element::{Circle, Line, Polyline, Rectangle, Text};

use super::table::{Results, Row};
use crate::report::median;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 640.0;
const MARGIN: f64 = 16.0;
/// Between a bar and what is written behind it.
const GAP: f64 = 8.0;
/// A character, on average at most: a digit of DejaVu Sans, the widest of the usual fonts.
const CHARACTER: f64 = 9.0;
const INK: &str = "#1a1a1a";
const GRID: &str = "#d0d0d0";
/// Of Okabe and Ito's colours, which people with any kind of colour vision can tell apart.
const BLUE: &str = "#0072b2";
const ORANGE: &str = "#e69f00";

/// A bar for each contender, target by target: the median, with a line from the fastest run to the
/// slowest.
pub fn speed(results: &Results) -> String {
    const ROW: f64 = 34.0;
    const TOP: f64 = 46.0;
    // As large as leaves room for the words behind each.
    let scale = results
        .groups()
        .flat_map(|group| {
            let baseline = group.baseline();
            group.rows.iter().map(move |row| {
                let words = words(row, baseline).chars().count() as f64 * CHARACTER;
                (WIDTH - MARGIN - words - GAP - LEFT) / slowest(row)
            })
        })
        .fold(f64::INFINITY, f64::min);
    let x = |seconds: f64| LEFT + seconds * scale;

    let lines = results.rows.len() + results.groups().count();
    let mut picture = canvas(TOP + ROW * lines as f64 + MARGIN).add(text(
        MARGIN,
        26.0,
        "start",
        "From the start to “Hello, world!”",
    ));
    let mut y = TOP;
    for group in results.groups() {
        let heading = match group.accelerator() {
            "tcg" => format!("{}, without KVM", group.target),
            "kvm" => format!("{}, with KVM", group.target),
            other => format!("{}, {other}", group.target),
        };
        picture = picture.add(text(MARGIN, y + 22.0, "start", heading).set("font-weight", "bold"));
        y += ROW;
        let baseline = group.baseline();
        for row in group.rows {
            let middle = median(&row.seconds);
            let least = row.seconds.iter().copied().fold(f64::INFINITY, f64::min);
            let most = slowest(row);
            let colour = if std::ptr::eq(row, baseline) {
                ORANGE
            } else {
                BLUE
            };
            picture = picture
                .add(text(LEFT - 10.0, y + 16.0, "end", &row.name))
                .add(
                    Rectangle::new()
                        .set("x", LEFT)
                        .set("y", y + 2.0)
                        .set("width", round(x(middle) - LEFT))
                        .set("height", 20)
                        .set("fill", colour),
                )
                .add(line(x(least), y + 12.0, x(most), y + 12.0, INK))
                .add(text(x(most) + GAP, y + 16.0, "start", words(row, baseline)));
            y += ROW;
        }
    }
    picture.to_string() + "\n"
}

/// What is written behind a bar.
fn words(row: &Row, baseline: &Row) -> String {
    let middle = median(&row.seconds);
    format!(
        "{:.0} ms, {:.1} times the baseline",
        middle * 1000.0,
        middle / median(&baseline.seconds)
    )
}

fn slowest(row: &Row) -> f64 {
    row.seconds.iter().copied().fold(0.0, f64::max)
}

/// Boots per second, by how many QEMUs there are at once.
pub fn throughput(results: &Results) -> String {
    const TOP: f64 = 50.0;
    const BOTTOM: f64 = 290.0;
    let points = &results.throughput;
    let jobs = points
        .iter()
        .map(|point| f64::from(point.jobs))
        .fold(1.0, f64::max);
    let most = points
        .iter()
        .map(|point| point.per_second())
        .fold(1.0, f64::max)
        .ceil();
    let x = |value: f64| LEFT + (RIGHT - LEFT) * value / jobs;
    let y = |value: f64| BOTTOM - (BOTTOM - TOP) * value / most;

    let mut picture = canvas(BOTTOM + 50.0)
        .add(text(
            MARGIN,
            26.0,
            "start",
            "Boots per second, by the number of QEMUs at once",
        ))
        .add(text(LEFT, BOTTOM + 36.0, "start", "QEMUs at once"))
        .add(line(LEFT, BOTTOM, RIGHT, BOTTOM, GRID))
        .add(text(LEFT - 10.0, BOTTOM + 5.0, "end", 0));
    let path: Vec<_> = points
        .iter()
        .map(|point| (x(f64::from(point.jobs)), y(point.per_second())))
        .collect();
    let line_points: Vec<_> = path
        .iter()
        .map(|(x, y)| format!("{},{}", round(*x), round(*y)))
        .collect();
    picture = picture.add(
        Polyline::new()
            .set("points", line_points.join(" "))
            .set("fill", "none")
            .set("stroke", BLUE)
            .set("stroke-width", 2),
    );
    for (point, (x, y)) in points.iter().zip(path) {
        picture = picture
            .add(
                Circle::new()
                    .set("cx", round(x))
                    .set("cy", round(y))
                    .set("r", 4)
                    .set("fill", BLUE),
            )
            .add(text(
                x,
                y - 10.0,
                "middle",
                format!("{:.1}", point.per_second()),
            ))
            .add(text(x, BOTTOM + 16.0, "middle", point.jobs));
    }
    picture.to_string() + "\n"
}

fn canvas(height: f64) -> Document {
    Document::new()
        .set("viewBox", (0, 0, WIDTH, height))
        .set("width", WIDTH)
        .set("height", height)
        .set("font-family", "sans-serif")
        .set("font-size", 14)
        .set("fill", INK)
        .add(
            Rectangle::new()
                .set("width", WIDTH)
                .set("height", height)
                .set("fill", "white"),
        )
}

fn text(x: f64, y: f64, anchor: &str, words: impl Display) -> Text {
    Text::new(words.to_string())
        .set("x", round(x))
        .set("y", round(y))
        .set("text-anchor", anchor)
}

fn line(x1: f64, y1: f64, x2: f64, y2: f64, colour: &str) -> Line {
    Line::new()
        .set("x1", round(x1))
        .set("y1", round(y1))
        .set("x2", round(x2))
        .set("y2", round(y2))
        .set("stroke", colour)
        .set("stroke-width", 2)
}

/// To a hundredth of a pixel, so that numbers stay short.
fn round(length: f64) -> f64 {
    (length * 100.0).round() / 100.0
}
