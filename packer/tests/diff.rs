//! `packer diff`, with a test for each kind of difference.

mod images;

use images::*;
use packer::Manifest;
use packer::diff::{compare, read};
use std::fs;
use std::process::{Command, Output};
use tempfile::TempDir;

fn diff(a: &[u8], b: &[u8]) -> Vec<String> {
    let [a, b] = [a, b].map(|image| Manifest::of_image(image).unwrap());
    compare(&a, &b, ["A", "B"])
}

/// The differences between images of one archive each.
fn entries(a: &[E], b: &[E]) -> Vec<String> {
    diff(&archive(a), &archive(b))
}

#[test]
fn nothing() {
    let a = [dir("d"), file("d/f", "A")];
    assert_eq!(entries(&a, &a), [""; 0]);
}

#[test]
fn contents() {
    let found = entries(&[file("f", "A")], &[file("f", "BC")]);
    assert_eq!(found, ["/f: size 1 -> 2, contents differ"]);
    let found = entries(&[file("f", "A")], &[file("f", "B")]);
    assert_eq!(found, ["/f: contents differ"]);
}

#[test]
fn mode_owner_and_mtime() {
    let found = entries(
        &[dir("d")],
        &[E {
            mode: DIR | 0o1700,
            ..dir("d")
        }],
    );
    assert_eq!(found, ["/d: mode 0755 -> 1700"]);
    let found = entries(&[dir("d")], &[E { uid: 1, ..dir("d") }]);
    assert_eq!(found, ["/d: owner 0:0 -> 1:0"]);
    let found = entries(&[dir("d")], &[E { gid: 1, ..dir("d") }]);
    assert_eq!(found, ["/d: owner 0:0 -> 0:1"]);
    let found = entries(
        &[E {
            mtime: 7,
            ..dir("d")
        }],
        &[dir("d")],
    );
    assert_eq!(found, ["/d: mtime 7 -> 0"]);
    let b = E {
        mode: FILE | 0o600,
        uid: 1,
        mtime: 2,
        ..file("f", "BC")
    };
    let found = entries(&[file("f", "A")], &[b]);
    let all = "/f: size 1 -> 2, contents differ, mode 0644 -> 0600, owner 0:0 -> 1:0, mtime 0 -> 2";
    assert_eq!(found, [all]);
}

#[test]
fn only_in_one() {
    let found = entries(
        &[dir("a"), dir("c"), dir("d")],
        &[dir("b"), dir("c"), dir("e")],
    );
    let expected = [
        "/a: only in A",
        "/b: only in B",
        "/d: only in A",
        "/e: only in B",
    ];
    assert_eq!(found, expected);
    assert_eq!(entries(&[], &[dir(".")]), ["/: only in B"]);
}

#[test]
fn types() {
    let found = entries(&[file("x", "A")], &[symlink("x", "y")]);
    assert_eq!(found, ["/x: is a file in A, a symbolic link in B"]);
    let found = entries(&[dir("x")], &[e("x", FIFO, "")]);
    assert_eq!(found, ["/x: is a directory in A, a FIFO in B"]);
    let found = entries(&[device("x", CHAR, (5, 1))], &[device("x", BLOCK, (5, 1))]);
    assert_eq!(
        found,
        ["/x: is a character device in A, a block device in B"]
    );
}

#[test]
fn targets_and_devices() {
    let found = entries(&[symlink("l", "a")], &[symlink("l", "b\n")]);
    assert_eq!(found, [r"/l: target a -> b\x0a"]);
    let found = entries(&[device("x", CHAR, (5, 1))], &[device("x", CHAR, (5, 2))]);
    assert_eq!(found, ["/x: device 5:1 -> 5:2"]);
}

#[test]
fn hard_links() {
    let linked = [name("a", 1, 2, "A"), name("b", 1, 2, "")];
    let found = entries(&linked, &[file("a", "A"), file("b", "A")]);
    assert_eq!(
        found,
        ["/b: is a hard link of /a in A, a file of its own in B"]
    );
    // The order of the names, and which of them has the contents, does not change the unpacked files.
    let other = [name("b", 1, 2, "A"), name("a", 1, 2, "A")];
    assert_eq!(
        entries(&linked, &other),
        ["entries: in another order, first difference /a -> /b"]
    );
}

#[test]
fn what_counts_is_what_linux_unpacks() {
    let a = archive(&[dir("d"), file("d/f", "A"), symlink("l", "d"), dir("e")]);
    // Later archives override earlier ones, so B unpacks to the same files.
    let b = [
        archive(&[
            file("d", "is in the way"),
            file("d/f", "is dropped"),
            dir("e"),
        ]),
        archive(&[dir("d"), file("l/f", "is dropped")]),
        archive(&[file("d/f", "A"), symlink("l", "d")]),
    ]
    .concat();
    assert_eq!(
        diff(&a, &b),
        [
            "/d: number of entries 1 -> 2, with the same effect",
            "/d/f: number of entries 1 -> 2, with the same effect",
            "/l/f: number of entries 0 -> 1, with the same effect",
            "archives: 1 -> 3",
        ]
    );
    // The time of the first entry counts, because Linux sets the times of directories in reverse order.
    let one = |mtime| archive(&[E { mtime, ..dir("d") }]);
    let expected = [
        "/d: number of entries 1 -> 2, with the same effect",
        "archives: 1 -> 2",
    ];
    assert_eq!(diff(&one(1), &[one(1), one(2)].concat()), expected);
    // Through a symbolic link.
    let b = archive(&[dir("d"), symlink("l", "d"), file("l/f", "B"), dir("e")]);
    assert_eq!(diff(&a, &b), ["/d/f: contents differ"]);
    // Overriding a file overrides it under all its names.
    let linked = archive(&[name("a", 1, 2, "A"), name("b", 1, 2, "")]);
    let b = [linked.clone(), archive(&[file("a", "B")])].concat();
    assert_eq!(
        diff(&linked, &b),
        ["/a: contents differ", "/b: contents differ"]
    );
    // But not if the name has been removed before.
    let b = [linked.clone(), archive(&[symlink("a", "b")])].concat();
    let expected = [
        "/a: is a file in A, a symbolic link in B",
        "/b: is a hard link of /a in A, a file of its own in B",
    ];
    assert_eq!(diff(&linked, &b), expected);
}

#[test]
fn the_same_entries_in_other_images() {
    let entries = [dir("d"), file("d/f", "A")];
    let a = archive(&entries);
    assert_eq!(diff(&a, &gzip(&a)), ["archive 0: compression none -> gzip"]);

    let other = "inode numbers, link counts, checksums, or how paths are written or padded";
    let mut padded = a.clone();
    pad(&mut padded, 512);
    let expected = format!("archive 0: the same entries in other bytes, size 356 -> 512: {other}");
    assert_eq!(diff(&a, &padded), [expected]);

    let b = archive(&[E { ino: 7, ..dir("d") }, file("d/f", "A")]);
    let expected = format!("archive 0: the same entries in other bytes: {other}");
    assert_eq!(diff(&a, &b), [expected]);

    let text = "words ".repeat(1000);
    let c = archive(&[file("f", &text)]);
    let (one, nine) = (compress("gzip:1", &c), compress("gzip:12", &c));
    let expected = format!(
        "image: the same archives in other bytes, size {} -> {}: another compressor or level, or other NULs \
         between archives",
        one.len(),
        nine.len()
    );
    assert_eq!(diff(&one, &nine), [expected]);

    let split = [archive(&entries[..1]), archive(&entries[1..])].concat();
    assert_eq!(
        diff(&a, &split),
        ["/d/f: archive 0 -> 1", "archives: 1 -> 2"]
    );

    let a = archive(&[dir("a"), dir("b")]);
    let b = archive(&[dir("b"), dir("a")]);
    assert_eq!(
        diff(&a, &b),
        ["entries: in another order, first difference /a -> /b"]
    );

    let a = archive(&[file("a", "1"), file("a", "2")]);
    let b = archive(&[file("a", "0"), file("a", "2")]);
    assert_eq!(diff(&a, &b), ["/a: overridden or dropped entries differ"]);
}

#[test]
fn manifests_stand_for_their_images() {
    let image = archive(&[file("f", "A"), name("a", 1, 2, ""), name("b", 1, 2, "B")]);
    let mut manifest = Manifest::of_image(&image[..]).unwrap();
    manifest.store_paths.push(packer::StorePath {
        path: "/nix/store/x".into(),
        nar_hash: "sha256-".into(),
        nar_size: 1,
        references: vec![],
    });
    let mut json = Vec::new();
    manifest.write(&mut json).unwrap();
    let manifest = read(&json[..]).unwrap();
    assert_eq!(
        compare(&manifest, &read(&image[..]).unwrap(), ["A", "B"]),
        [""; 0]
    );
    assert!(
        read(&b"{"[..])
            .unwrap_err()
            .to_string()
            .contains("is not a manifest")
    );
}

#[test]
fn as_a_program() {
    let directory = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
    let diff = |a: &str, b: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_packer"));
        let command = command.args(["diff", a, b]).current_dir(&directory);
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    };
    write("a", &archive(&[file("f", "A")]));
    write("b", &archive(&[dir("d"), symlink("f", "x")]));
    write("junk", b"junk");
    let lines = "/d: only in b\n/f: is a file in a, a symbolic link in b\n";
    assert_eq!(diff("a", "a"), (Some(0), String::new(), String::new()));
    assert_eq!(diff("a", "b"), (Some(1), lines.into(), String::new()));
    let (code, stdout, stderr) = diff("a", "junk");
    assert_eq!((code, &stdout[..]), (Some(2), ""), "as diff(1): trouble");
    assert!(
        stderr.starts_with("junk: byte 0: expected an archive"),
        "{stderr}"
    );
    assert_eq!(diff("nowhere", "a").0, Some(2));
}
