//! How far long work has come.

use indicatif::{ProgressBar, ProgressStyle};
use packer::{Kind, Tree};
use std::fs;

/// Below this many bytes a bar would only flash up.
const LONG: u64 = 64 << 20;

/// A bar over the bytes of all files in `tree`, on stderr. It is not to be seen where that is no
/// terminal, where there is little to do, and where `quiet` says so.
pub fn bar(tree: &Tree, quiet: bool) -> ProgressBar {
    let sizes = tree.entries().map(|(_, entry)| match &entry.kind {
        // What cannot be read is reported when its turn comes.
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
