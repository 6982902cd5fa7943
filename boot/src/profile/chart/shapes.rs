//! The elements of SVG that the chart uses.

use svg::node::element::{Line, Rectangle, Text};

/// A text that begins at `x`.
pub fn text(x: f64, y: f64, content: &str) -> Text {
    Text::new(clean(content))
        .set("x", round(x))
        .set("y", round(y))
}

/// The text with a white rim, to be readable over lines.
pub fn halo(text: Text) -> Text {
    text.set("stroke", "white")
        .set("stroke-width", 4)
        .set("paint-order", "stroke")
}

/// A rectangle without a colour yet.
pub fn rectangle(x: f64, y: f64, width: f64, height: f64) -> Rectangle {
    Rectangle::new()
        .set("x", round(x))
        .set("y", round(y))
        .set("width", round(width))
        .set("height", round(height))
}

/// A vertical line.
pub fn upright(x: f64, from: f64, to: f64) -> Line {
    Line::new()
        .set("x1", round(x))
        .set("x2", round(x))
        .set("y1", round(from))
        .set("y2", round(to))
}

/// Rounds to a hundredth of a pixel, so that numbers stay short.
fn round(length: f64) -> f64 {
    (length * 100.0).round() / 100.0
}

/// The characters of `text` that XML 1.0 allows (section 2.2). The guest may write any.
pub fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .collect()
}
