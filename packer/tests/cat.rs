//! `packer cat`.

mod images;

use images::*;
use packer::Error;
use packer::cat::cat;
use std::fs::{self, File};
use std::io::{Cursor, Seek, SeekFrom, Write};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// What is written, and what is reported.
fn outcome(image: &[u8], paths: &[&str]) -> (String, Vec<String>) {
    let (mut out, mut reports) = (Vec::new(), Vec::new());
    let mut report = |error: Error| reports.push(error.to_string());
    cat(&mut Cursor::new(image), paths, &mut out, &mut report).unwrap();
    (String::from_utf8(out).unwrap(), reports)
}

fn written(image: &[u8], paths: &[&str]) -> String {
    let (out, reports) = outcome(image, paths);
    assert_eq!(reports, [""; 0]);
    out
}

#[test]
fn the_order_is_that_of_the_arguments() {
    let image = archive(&[dir("d"), file("d/a", "A"), file("d/b", "B"), file("c", "")]);
    for (paths, expected) in [
        (&["d/a", "d/b"][..], "AB"),
        (&["/d/b", "/d/a", "./d//b"], "BAB"),
        (&["d/b", "c", "d/b"], "BB"),
        (&["c"], ""),
    ] {
        assert_eq!(written(&image, paths), expected, "{paths:?}");
    }
}

/// init/initramfs.c opens the file again, and truncates it unless the entry is a hard link.
#[test]
fn what_linux_unpacks_last_counts() {
    let early = archive(&[
        file("f", "early"),
        file("emptied", "x"),
        file("replaced", "x"),
    ]);
    let main = archive(&[
        file("f", "main"),
        file("f", "last"),
        file("emptied", ""),
        symlink("replaced", "f"),
    ]);
    let image = [early, compress("zstd", &main)].concat();
    assert_eq!(written(&image, &["f"]), "last");
    assert_eq!(written(&image, &["emptied"]), "");
    assert_eq!(written(&image, &["replaced"]), "last");
}

#[test]
fn all_names_of_a_file_have_its_contents() {
    let one = |contents: [&str; 3]| {
        let [a, b, c] = contents;
        archive(&[name("a", 5, 3, a), name("b", 5, 3, b), name("c", 5, 3, c)])
    };
    for (contents, expected) in [
        (["", "", "last"], "last"),
        (["first", "", ""], "first"),
        (["", "middle", ""], "middle"),
        (["first", "", "end"], "end"),
        (["", "", ""], ""),
    ] {
        for path in ["a", "b", "c"] {
            assert_eq!(written(&one(contents), &[path]), expected, "{contents:?}");
        }
    }
    // The same inode number in another archive is another file.
    let image = [one(["", "", "old"]), archive(&[name("b", 5, 2, "new")])].concat();
    // Linux opens b, which is still the same file as a and c.
    assert_eq!(written(&image, &["a", "b", "c"]), "newnewnew");
    let image = [one(["", "", "old"]), archive(&[name("d", 5, 2, "new")])].concat();
    assert_eq!(written(&image, &["a", "d"]), "oldnew");
}

#[test]
fn symbolic_links_lead_to_files() {
    let image = archive(&[
        dir("usr"),
        dir("usr/lib"),
        file("usr/lib/f", "F"),
        symlink("lib", "usr/lib"),
        symlink("usr/l", "../lib/f"),
    ]);
    assert_eq!(written(&image, &["/lib/f", "/usr/l"]), "FF");
    // Where the last link leads to, there is also another file of this name.
    let image = archive(&[
        dir("bin"),
        file("bin/busybox", "B"),
        dir("d"),
        file("d/busybox", "D"),
        symlink("sbin", "bin"),
        symlink("sh", "sbin/busybox"),
        file("bin/other", ""),
    ]);
    assert_eq!(written(&image, &["sh"]), "B");
}

/// `cat` does not keep other files, but they count.
#[test]
fn files_that_nobody_asks_for_have_effects() {
    // A directory with a file in it is not replaced by a link.
    let image = archive(&[
        dir("d"),
        file("d/other", ""),
        dir("e"),
        file("e/f", "E"),
        symlink("d", "e"),
    ]);
    let (_, reports) = outcome(&image, &["d/f"]);
    assert_eq!(reports, ["d/f: is not in the image"]);
    // The other name of a file is overwritten by another archive.
    let names = archive(&[name("other", 5, 2, ""), name("f", 5, 2, "old")]);
    let image = [names, archive(&[file("other", "new")])].concat();
    assert_eq!(written(&image, &["f"]), "new");
    // A file takes the place of a link.
    let image = archive(&[
        dir("e"),
        file("e/f", "E"),
        symlink("l", "e"),
        symlink("f", "l/f"),
        file("l", ""),
    ]);
    let (_, reports) = outcome(&image, &["l/f", "f"]);
    assert_eq!(
        reports,
        [
            "l/f: leads to nothing: /l is not a directory",
            "f: leads to nothing: /f is a symbolic link to l/f, and /l is not a directory"
        ]
    );
}

/// The early loader of x86 finds microcode by its path alone.
#[test]
fn microcode_needs_no_directories() {
    let path = "kernel/x86/microcode/AuthenticAMD.bin";
    assert_eq!(written(&archive(&[file(path, "patch")]), &[path]), "patch");
}

#[test]
fn a_path_without_a_file_is_reported_and_nothing_is_written() {
    let image = archive(&[
        dir("d"),
        file("d/f", "F"),
        device("null", CHAR | 0o666, (1, 3)),
        e("pipe", FIFO | 0o600, ""),
        symlink("lost", "nowhere"),
    ]);
    let (out, reports) = outcome(
        &image,
        &["d/f", "d", "/", "null", "pipe", "lost", "a\nb", "d/f/g"],
    );
    assert_eq!(out, "");
    let expected = [
        "d: is a directory; only a file has contents",
        "/: is a directory; only a file has contents",
        "null: is a character device; only a file has contents",
        "pipe: is a FIFO; only a file has contents",
        "lost: leads to nothing: /lost is a symbolic link to nowhere, and /nowhere is not in the image",
        r"a\x0ab: is not in the image",
        "d/f/g: leads to nothing: /d/f is not a directory",
    ];
    assert_eq!(reports, expected);
}

#[test]
fn the_image_begins_at_the_current_position() {
    let mut image =
        Cursor::new([b"junk", &archive(&[file("a", "A"), file("b", "B")])[..]].concat());
    image.seek(SeekFrom::Start(4)).unwrap();
    let mut out = Vec::new();
    let mut report = |error| panic!("{error}");
    cat(&mut image, &["b", "a"], &mut out, &mut report).unwrap();
    assert_eq!(out, b"BA");
}

fn packer(directory: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_packer"));
    command.arg("cat").args(arguments).current_dir(directory);
    command
}

/// All bytes, from a file, from a pipe, and from a file that is standard input.
#[test]
fn the_program_writes_every_byte() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("image");
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number >> 3) as u8).collect();
    let image = gzip(&archive(&[file("a", &bytes), file("b", b"\0\xff\r\n")]));
    fs::write(&path, &image).unwrap();
    let expected = [b"\0\xff\r\n", &bytes[..]].concat();
    let succeeded = |output: Output| {
        assert!(output.status.success() && output.stderr.is_empty());
        assert!(output.stdout == expected);
    };
    succeeded(packer(&directory, &["image", "b", "a"]).output().unwrap());
    let mut dash = packer(&directory, &["-", "b", "a"]);
    succeeded(dash.stdin(File::open(&path).unwrap()).output().unwrap());
    dash.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = dash.stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // packer reads all of it before it writes.
    stdin.write_all(&image).unwrap();
    drop(stdin);
    succeeded(child.wait_with_output().unwrap());
}

#[test]
fn failures_of_the_program() {
    let directory = TempDir::new().unwrap();
    let image = archive(&[file("a", "A"), file("b", "B")]);
    fs::write(directory.path().join("image"), &image).unwrap();
    fs::write(directory.path().join("cut"), &image[..200]).unwrap();
    for (arguments, code, expected) in [
        (
            &["image", "a", "x", "y"][..],
            1,
            "image: x: is not in the image\nimage: y: is not in the image\n",
        ),
        (&["cut", "a"], 1, "cut: byte 116: "),
        (&["nowhere", "a"], 1, "nowhere: No such file or directory"),
        (
            &["image"],
            2,
            "error: the following required arguments were not provided",
        ),
    ] {
        let Output {
            status,
            stdout,
            stderr,
        } = packer(&directory, arguments).output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!((status.code(), &stdout[..]), (Some(code), &b""[..]));
        assert!(stderr.starts_with(expected), "{stderr}");
    }
    let mut command = packer(&directory, &["-", "a"]);
    let pipe = command.stdin(Stdio::piped()).env("TMPDIR", "nowhere");
    let stderr = String::from_utf8(pipe.output().unwrap().stderr).unwrap();
    let expected =
        "stdin: cannot copy it to a temporary file in nowhere: No such file or directory";
    assert!(stderr.starts_with(expected), "{stderr}");
}
