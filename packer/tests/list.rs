//! `packer list`.

mod images;

use images::*;
use packer::Manifest;
use std::fs;
use std::io::Write;
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
        // Linux skips this entry, so it is not listed.
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
-rw-r--r-- 0:0 - 0 /one
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

/// The entries before the damage are shown.
#[test]
fn an_image_that_is_damaged_is_listed_up_to_there() {
    let entries = archive(&[dir("d"), file("d/f", "abc")]);
    let lzo = [&entries[..], b"\x89LZO, but not that of lzop"].concat();
    let cut_off = &archive(&[dir("d"), file("d/f", "abc"), file("d/g", "abc")])[..300];
    for (image, error) in [
        (
            &lzo[..],
            "byte 0 of the lzo member at byte 356: the lzo data is corrupt",
        ),
        (cut_off, "is cut off"),
    ] {
        for options in [&[][..], &["--sha256"]] {
            let output = list(image, options);
            let stdout = String::from_utf8(output.stdout).unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1));
            assert!(stderr.contains(error), "{stderr}");
            let paths: Vec<_> = stdout
                .lines()
                .filter_map(|line| line.split(' ').next_back())
                .collect();
            assert_eq!(paths, ["/d", "/d/f"], "{error}");
        }
    }
}

/// Linux boots without an initramfs and prints no message.
#[test]
fn an_empty_file_is_no_image() {
    for options in [&[][..], &["--sha256"], &["--json"]] {
        let output = list(b"", options);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), &output.stdout[..]),
            (Some(1), &b""[..])
        );
        assert!(stderr.starts_with("image: the file is empty"), "{stderr}");
    }
    assert_eq!(
        lines(&archive(&[]), &[]),
        [""; 0],
        "an archive can be empty"
    );
}

/// `list` does not keep the names of a file, so it does not know the size before the contents come.
#[test]
fn names_without_contents() {
    let image = archive(&[
        name("a", 5, 3, ""),
        name("b", 5, 3, "abc"),
        name("c", 5, 3, ""),
    ]);
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let expected = [
        "-rw-r--r-- 0:0 - 0 - /a".to_owned(),
        format!("-rw-r--r-- 0:0 3 0 {abc} /b"),
        "-rw-r--r-- 0:0 - 0 - /c".to_owned(),
    ];
    assert_eq!(lines(&image, &["--sha256"]), expected);
}

/// The largest amount of memory that `packer` used to read `image`.
fn peak(arguments: &[&str], image: &[u8]) -> u64 {
    let directory = TempDir::new().unwrap();
    let fifo = directory.path().join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_packer"));
    command.args(arguments).arg(&fifo).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut pipe = fs::File::options().write(true).open(&fifo).unwrap();
    pipe.write_all(image).unwrap();
    // Write more than fits into the pipe and the buffers. Then the program has read the whole image, and it
    // waits for more as long as the pipe is open.
    pipe.write_all(&vec![0; 1 << 20]).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    drop(pipe);
    assert!(child.wait().unwrap().success());
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak
        .and_then(|peak| peak.trim().strip_suffix(" kB"))
        .unwrap();
    kib.parse::<u64>().unwrap() << 10
}

#[test]
fn memory_does_not_grow_with_the_number_of_entries() {
    const LIMIT: u64 = 16 << 20;
    let number = 200_000;
    let files = (0..number).map(|number| file(format!("{number}"), ""));
    let links = (0..number).map(|number| name(format!("{number}"), number, 2, ""));
    for entries in [
        archive(&files.collect::<Vec<_>>()),
        archive(&links.collect::<Vec<_>>()),
    ] {
        for arguments in [&["list"][..], &["list", "--sha256"]] {
            let peak = peak(arguments, &entries);
            assert!(peak < LIMIT, "{arguments:?}: {peak} bytes");
        }
    }
    let files: Vec<_> = (0..number)
        .map(|number| file(format!("{number}"), ""))
        .collect();
    // The help of `verify` has the amount for each entry.
    let per_entry = peak(&["verify"], &archive(&files)) / u64::from(number);
    assert!(per_entry < 400, "{per_entry} bytes");
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
