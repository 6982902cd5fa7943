//! boot warns of an image that cannot boot, and boots it.

use std::fs;

use common::Fixture;
use packer::{Entry, Kind, Tree, archive};

mod common;

/// Writes an image with these programs, each with its contents.
fn write(fixture: &Fixture, programs: &[(&str, &[u8])]) {
    let mut tree = Tree::new();
    for (path, bytes) in programs {
        let bytes = bytes.to_vec();
        let entry = Entry {
            mode: Some(0o755),
            ..Entry::new(Kind::Contents { bytes })
        };
        tree.insert(path, entry).unwrap();
    }
    let image = archive::write(&tree, 0, Vec::new()).unwrap();
    fs::write(fixture.path("initrd"), image).unwrap();
}

const SCRIPT: &[u8] = b"#!/bin/sh\n";

/// The warnings of a boot, without their beginnings. The guest says that it is well in any case.
fn warnings(fixture: &Fixture, arguments: &[&str]) -> Vec<String> {
    let ran = fixture.run("echo 'Hello, world!'", arguments);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let lines = ran.stderr.lines();
    let lines = lines.filter_map(|line| line.strip_prefix("boot: warning: initrd: "));
    lines.map(Into::into).collect()
}

#[test]
fn an_image_that_cannot_boot() {
    let fixture = Fixture::new();
    write(&fixture, &[("/init", SCRIPT)]);
    let found = warnings(&fixture, &[]);
    let expected = "/init: is a script for /bin/sh, which is not in the image; pack the interpreter with --program";
    assert_eq!(found, [expected]);
    // A warning comes before a boot. There is none here.
    let ran = fixture.run("false", &["--dry-run"]);
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_command_line_counts() {
    let fixture = Fixture::new();
    write(&fixture, &[("/other", SCRIPT)]);
    assert!(warnings(&fixture, &[])[0].starts_with("/init: is not in the image"));
    assert_eq!(warnings(&fixture, &["--append", "root=/dev/vda"]), [""; 0]);
    let found = warnings(&fixture, &["--append", "rdinit=/other"]);
    assert!(
        found[0].starts_with("/other: is a script for /bin/sh"),
        "{found:?}"
    );
}

#[test]
fn an_image_that_boot_cannot_read() {
    let fixture = Fixture::new();
    assert_eq!(warnings(&fixture, &[]), [""; 0]);
    // A note or a warning of packer is none of boot.
    write(&fixture, &[("/init", &elf()), ("/empty", b"")]);
    assert_eq!(warnings(&fixture, &[]), [""; 0]);
}

#[test]
fn the_memory_counts() {
    let fixture = Fixture::new();
    write(&fixture, &[("/init", &elf()), ("/data", &[b'x'; 5 << 20])]);
    assert_eq!(warnings(&fixture, &["--memory", "32"]), [""; 0]);
    let found = warnings(&fixture, &["--memory", "8"]);
    assert!(found[0].starts_with("the image has 6 MiB"), "{found:?}");
}

/// The smallest ELF program for x86-64: a header.
fn elf() -> Vec<u8> {
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(64, 0);
    elf[16] = 2;
    elf[18] = 62;
    elf[52] = 64;
    elf
}
