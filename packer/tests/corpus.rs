//! Replays the fuzzer's corpus, so that a bug found once does not come back.

#[path = "../fuzz/properties.rs"]
mod properties;

use std::fs;
use std::path::Path;

/// Calls `property` for each image of a corpus, which must not be empty.
fn each(corpus: &str, property: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(corpus);
    let mut count = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        // cargo test shows this if the property panics.
        println!("{}", path.display());
        property(&fs::read(path).unwrap());
        count += 1;
    }
    assert!(count >= 10, "{count}");
}

#[test]
fn reader() {
    each("reader", properties::reader);
}

#[test]
fn extract() {
    each("extract", properties::extraction);
    each("reader", properties::extraction);
}
