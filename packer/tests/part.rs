//! Patterns: `packer list` and `packer extract` of a part of an image.

mod extraction;
mod images;

use extraction::*;
use images::*;
use packer::extract::{ExtractOptions, extract_part};
use packer::pattern::{Pattern, Selection};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Output};

/// Extracts what `patterns` select. Returns what is there then, and the reports.
fn part(image: &[u8], patterns: &[&str]) -> (Place, BTreeMap<String, String>, Vec<String>) {
    let place = Place::new();
    let patterns = patterns.iter().map(|pattern| pattern.as_bytes());
    let mut selection = Selection::new(patterns.map(|pattern| Pattern::parse(pattern).unwrap()));
    let mut reports = Vec::new();
    let directory = place.path("inside");
    extract_part(
        image,
        &directory,
        ExtractOptions::default(),
        &mut selection,
        &mut |error| reports.push(error.to_string()),
    )
    .unwrap();
    let inside = place.inside();
    (place, inside, reports)
}

fn extracted(image: &[u8], patterns: &[&str]) -> BTreeMap<String, String> {
    let (_, inside, reports) = part(image, patterns);
    assert_eq!(reports, [""; 0], "{patterns:?}");
    inside
}

fn sample() -> Vec<u8> {
    archive(&[
        dir("bin"),
        file("bin/sh", "SH"),
        E {
            mode: DIR | 0o750,
            mtime: 7,
            ..dir("lib")
        },
        E {
            mtime: 8,
            ..dir("lib/modules")
        },
        file("lib/modules/a.ko", "A"),
        file("lib/modules/b.ko", "B"),
        file("lib/libc.so", "C"),
    ])
}

#[test]
fn only_what_matches_and_its_parents() {
    let (place, inside, reports) = part(&sample(), &["*.ko"]);
    assert_eq!(reports, [""; 0]);
    let expected = found(&[
        ("lib", "0750 dir"),
        ("lib/modules", "0755 dir"),
        ("lib/modules/a.ko", "0644 file A"),
        ("lib/modules/b.ko", "0644 file B"),
    ]);
    assert_eq!(inside, expected);
    for (path, mtime) in [("inside/lib", 7), ("inside/lib/modules", 8)] {
        assert_eq!(fs::metadata(place.path(path)).unwrap().mtime(), mtime);
    }

    let expected = found(&[("lib", "0750 dir"), ("lib/libc.so", "0644 file C")]);
    assert_eq!(extracted(&sample(), &["/lib/libc*"]), expected);
    // A directory with everything in it.
    let expected = found(&[("bin", "0755 dir"), ("bin/sh", "0644 file SH")]);
    assert_eq!(extracted(&sample(), &["bin"]), expected);
    assert_eq!(extracted(&sample(), &["/"]).len(), 7);
}

#[test]
fn a_pattern_without_a_match_is_reported() {
    let (_, inside, reports) = part(&sample(), &["sh", "bin/sh", "lib/*.o"]);
    let expected = found(&[("bin", "0755 dir"), ("bin/sh", "0644 file SH")]);
    assert_eq!(inside, expected);
    let expected = ["sh", "lib/*.o"].map(|text| format!("{text}: matches no entry of the image"));
    assert_eq!(reports, expected);
}

/// Whichever of the names has the contents, and whether it is selected or not.
#[test]
fn hard_links_have_their_contents() {
    for contents in [
        ["ABC", "", ""],
        ["", "ABC", ""],
        ["", "", "ABC"],
        ["longer", "", "ABC"],
    ] {
        let names = ["a", "b", "c"].into_iter().zip(contents);
        let names: Vec<_> = names.map(|(path, text)| name(path, 5, 3, text)).collect();
        // The second archive has another file with this inode number.
        let image = [archive(&names), archive(&[name("d", 5, 2, "")])].concat();
        for path in ["a", "b", "c"] {
            let expected = found(&[(path, "0644 file ABC")]);
            assert_eq!(extracted(&image, &[path]), expected, "{contents:?}");
        }
        let two = extracted(&image, &["[bc]"]);
        let expected = found(&[("b", "0644 file ABC"), ("c", "0644 file ABC")]);
        assert_eq!(two, expected, "{contents:?}");
        assert_eq!(extracted(&image, &["d"]), found(&[("d", "0644 file ")]));
    }
}

/// A later entry for a directory that has been made for a selected entry.
#[test]
fn the_last_mode_of_a_parent_counts() {
    let early = archive(&[dir("d"), file("d/f", "1")]);
    let changed = E {
        mode: DIR | 0o700,
        ..dir("d")
    };
    let image = [early, archive(&[changed, file("d/f", "2")])].concat();
    let expected = found(&[("d", "0700 dir"), ("d/f", "0644 file 2")]);
    assert_eq!(extracted(&image, &["d/f"]), expected);
}

#[test]
fn what_cannot_be_extracted_is_reported_as_without_patterns() {
    for entries in [
        vec![file("d/f", "")],
        vec![dir("usr"), symlink("d", "usr"), file("d/f", "")],
        vec![dir("d"), file("d/f", ""), file("d/../f", "")],
    ] {
        let all = Place::new().reports(&entries);
        let (_, _, reports) = part(&archive(&entries), &["d/*"]);
        assert_eq!(reports, all);
        assert_eq!(reports.len(), 1);
    }
    // What is not selected is not reported.
    let (_, _, reports) = part(&archive(&[file("x/y", ""), file("f", "")]), &["f"]);
    assert_eq!(reports, [""; 0]);
}

fn packer(arguments: &[&str]) -> (Place, Output) {
    let place = Place::new();
    fs::write(place.path("image"), sample()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_packer"));
    command.args(arguments).current_dir(&place.0);
    let output = command.output().unwrap();
    (place, output)
}

#[test]
fn the_program() {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (_, output) = packer(&["list", "image", "*.ko", "nowhere", "b[!i]*"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stdout),
        "-rw-r--r-- 0:0 1 0 /lib/modules/a.ko\n-rw-r--r-- 0:0 1 0 /lib/modules/b.ko\n"
    );
    assert_eq!(
        text(&output.stderr),
        "image: nowhere: matches no entry of the image\nimage: b[!i]*: matches no entry of the image\n"
    );
    let (_, output) = packer(&["list", "image", "bin/"]);
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(text(&output.stdout).lines().count(), 2);

    let (place, output) = packer(&["extract", "image", "inside", "bin/sh", "nowhere"]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "image: nowhere: matches no entry of the image\n";
    assert_eq!(text(&output.stderr), expected);
    assert_eq!(place.inside().len(), 2);

    for (arguments, expected) in [
        (&["list", "image", "[a"][..], "[a: has a `[` without a `]`"),
        (&["extract", "image", "inside", "a\\"], "ends in a `\\`"),
        (&["list", "image", "--json", "a"], "cannot be used with"),
    ] {
        let (place, output) = packer(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(expected), "{output:?}");
        assert!(!place.path("inside").exists());
    }
}
