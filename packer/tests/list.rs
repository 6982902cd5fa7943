//! `packer list`.

mod images;

use images::*;
use packer::Manifest;
use std::fs;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

fn list(image: &[u8], options: &[&str]) -> Output {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("image");
    fs::write(&path, image).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_packer"));
    command
        .arg("list")
        .args(options)
        .arg("image")
        .current_dir(&directory);
    command.output().unwrap()
}

fn lines(image: &[u8], options: &[&str]) -> Vec<String> {
    let output = list(image, options);
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_line_for_each_entry() {
    let early = archive(&[dir("kernel"), file("kernel/ucode.bin", "12345")]);
    let main = archive(&[
        E {
            mtime: 1234567890,
            ..dir(".")
        },
        E {
            mode: DIR | 0o1777,
            ..dir("tmp")
        },
        E {
            mode: DIR | 0o2750,
            uid: 1,
            gid: 22,
            ..dir("dev")
        },
        device("dev/c", CHAR | 0o620, (4095, 1048575)),
        device("dev/b", BLOCK | 0o660, (8, 0)),
        e("dev/p", FIFO | 0o600, ""),
        e("dev/s", SOCKET | 0o755, ""),
        E {
            mode: FILE | 0o4755,
            uid: 4294967294,
            ..file("suid", "")
        },
        E {
            mode: FILE | 0o7000,
            ..file("none", "")
        },
        E {
            mode: FILE | 0o1001,
            ..file("sticky", "")
        },
        symlink("link", "/usr/bin/\n"),
        name("one", 5, 2, ""),
        name("two", 5, 2, "ABC"),
        file("a b\\c\u{1b}\u{e9}", ""),
        file(b"\xff", ""),
        // Linux skips this, and so it is not in the image in any way that matters.
        file("", "x"),
    ]);
    let image = [early, gzip(&main)].concat();
    let expected = r"
drwxr-xr-x 0:0 0 0 /kernel
-rw-r--r-- 0:0 5 0 /kernel/ucode.bin
drwxr-xr-x 0:0 0 1234567890 /
drwxrwxrwt 0:0 0 0 /tmp
drwxr-s--- 1:22 0 0 /dev
crw--w---- 0:0 4095,1048575 0 /dev/c
brw-rw---- 0:0 8,0 0 /dev/b
prw------- 0:0 0 0 /dev/p
srwxr-xr-x 0:0 0 0 /dev/s
-rwsr-xr-x 4294967294:0 0 0 /suid
---S--S--T 0:0 0 0 /none
---------t 0:0 0 0 /sticky
lrwxrwxrwx 0:0 10 0 /link -> /usr/bin/\x0a
-rw-r--r-- 0:0 3 0 /one
-rw-r--r-- 0:0 3 0 /two
-rw-r--r-- 0:0 0 0 /a b\\c\x1bé
-rw-r--r-- 0:0 0 0 /\xff";
    let expected: Vec<_> = expected.lines().skip(1).collect();
    assert_eq!(lines(&image, &[]), expected);
}

#[test]
fn hashes() {
    let image = archive(&[dir("d"), file("f", "abc"), symlink("l", "f")]);
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let expected = [
        "drwxr-xr-x 0:0 0 0 - /d".to_owned(),
        format!("-rw-r--r-- 0:0 3 0 {abc} /f"),
        "lrwxrwxrwx 0:0 1 0 - /l -> f".to_owned(),
    ];
    assert_eq!(lines(&image, &["--sha256"]), expected);
}

#[test]
fn json_is_the_manifest() {
    let image = compress("zstd", &archive(&[dir("d"), file("f", "abc")]));
    let output = list(&image, &["--json"]);
    assert!(output.status.success());
    let manifest = Manifest::read_json(&output.stdout[..]).unwrap();
    assert_eq!(manifest, Manifest::of_image(&image[..]).unwrap());
}

#[test]
fn what_cannot_be_read_is_named() {
    for (image, expected) in [
        (&b"junk"[..], "image: byte 0: expected an archive, "),
        (
            &archive(&[])[..50],
            "image: byte 0: the entry that begins here is cut off: ",
        ),
    ] {
        let output = list(image, &[]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr.starts_with(expected), "{stderr}");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_packer"))
        .args(["list", "/nowhere"])
        .output();
    let stderr = String::from_utf8(output.unwrap().stderr).unwrap();
    assert_eq!(stderr, "/nowhere: No such file or directory (os error 2)\n");
}

/// As in `packer list ... | head`.
#[test]
fn nobody_has_to_read_all_of_it() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("image");
    let entries: Vec<_> = (0..10_000).map(|number| dir(number.to_string())).collect();
    fs::write(&path, archive(&entries)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_packer"));
    command
        .arg("list")
        .arg(path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
}
