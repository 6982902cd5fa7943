//! The progress bar.

use indicatif::{ProgressBar, ProgressStyle};
use packer::{Kind, Tree};
use std::fs;

/// The smallest number of bytes for which a bar is shown. For fewer, it would only flash up.
const LONG: u64 = 64 << 20;

/// A progress bar on stderr for the bytes of all files in `tree`. It is hidden if stderr is not a terminal,
/// if there are few bytes, or if `quiet` is set.
pub fn bar(tree: &Tree, quiet: bool) -> ProgressBar {
    let sizes = tree.entries().map(|(_, entry)| match &entry.kind {
        // If the file cannot be read, packing reports it later.
        Kind::File { source } => fs::metadata(source).map_or(0, |metadata| metadata.len()),
        _ => 0,
    });
    let total = sizes.sum();
    if quiet || total < LONG {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {eta}")
        .expect("the template is well-formed");
    ProgressBar::new(total).with_style(style)
}
