//! `-` in place of a file: standard input and standard output.

mod images;

use images::*;
use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::thread;
use tempfile::TempDir;

const PACKER: &str = env!("CARGO_BIN_EXE_packer");

/// Runs packer in `directory`, with `input` in a pipe as standard input.
fn piped(directory: &TempDir, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(PACKER)
        .args(arguments)
        .current_dir(directory)
        .env_remove("SOURCE_DATE_EPOCH")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = thread::spawn(move || {
        // A program that refuses its input does not read it.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// What packer says if it fails.
fn failure(output: Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// More than a pipe holds, in two archives, with data that does not compress well.
fn image() -> Vec<u8> {
    let noise: Vec<u8> = (0..200_000_u32)
        .map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let early = archive(&[dir("kernel"), file("kernel/early", "early")]);
    let main = archive(&[dir("d"), file("d/noise", noise)]);
    [early, gzip(&main)].concat()
}

/// A terminal. The master side of a pseudoterminal is one, too, and needs no other process.
fn terminal() -> Stdio {
    let mut options = File::options();
    options
        .read(true)
        .write(true)
        .open("/dev/ptmx")
        .unwrap()
        .into()
}

#[test]
fn standard_input_is_an_image() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("image"), image()).unwrap();
    for arguments in [
        &["list", "IMAGE"][..],
        &["list", "--sha256", "IMAGE"],
        &["list", "--json", "IMAGE"],
        &["diff", "IMAGE", "image"],
    ] {
        let with = |name: &'static str| {
            let mut arguments = arguments.to_vec();
            let image = arguments.iter().position(|&argument| argument == "IMAGE");
            arguments[image.unwrap()] = name;
            arguments
        };
        let named = piped(&directory, &with("image"), b"");
        assert!(named.status.success(), "{named:?}");
        assert_eq!(piped(&directory, &with("-"), &image()), named);
    }
    let output = piped(&directory, &["verify", "-"], &image());
    let size = image().len();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!("stdin: ok, 4 entries in 2 archives, {size} bytes\n")
    );
    let output = piped(&directory, &["extract", "-", "out"], &image());
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        fs::read(directory.path().join("out/kernel/early")).unwrap(),
        b"early"
    );
}

/// `./-` is a file.
#[test]
fn a_file_can_have_this_name() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("-"), archive(&[dir("d")])).unwrap();
    let output = piped(&directory, &["list", "./-"], b"");
    assert_eq!(output.stdout, b"drwxr-xr-x 0:0 0 0 /d\n");
}

#[test]
fn messages_say_stdin() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("image"), image()).unwrap();
    let cut_off = &image()[..1000];
    let lost = archive(&[file("d/f", "")]);
    for (arguments, input, code, message) in [
        (
            &["cat", "-", "d"][..],
            &lost[..],
            1,
            "stdin: d: is not in the image",
        ),
        (&["list", "-"][..], &b""[..], 1, "stdin: the file is empty"),
        (
            &["list", "-"],
            b"junk",
            1,
            "stdin: byte 0: expected an archive, ",
        ),
        (&["extract", "-", "out"], b"junk", 1, "stdin: byte 0: "),
        (
            &["extract", "-", "lost"],
            &lost,
            1,
            "stdin: /d/f: Linux drops it",
        ),
        (&["verify", "-"], cut_off, 1, "stdin: "),
        (&["verify", "-"], &lost, 1, "stdin: /d/f: Linux drops it"),
        (&["verify", "image", "--manifest=-"], b"junk", 1, "stdin: "),
        (&["verify", "-", "--manifest=-"], b"{}", 1, "stdin: "),
        (
            &["diff", "-", "-"],
            &image(),
            2,
            "stdin: `-` is named twice",
        ),
        (&["diff", "image", "-"], b"junk", 2, "stdin: byte 0: "),
    ] {
        let stderr = failure(piped(&directory, arguments, input), code);
        assert!(stderr.starts_with(message), "{arguments:?}: {stderr}");
    }
}

#[test]
fn the_image_is_written_to_standard_output() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let entries = ["--dir=/d", "--file=/text=text"];
    fs::write(path("text"), "x".repeat(100_000)).unwrap();
    for compression in ["--compress=none", "--compress=gzip"] {
        let create = |out| [&["create", out, compression][..], &entries].concat();
        assert!(piped(&directory, &create("out"), b"").status.success());
        let expected = fs::read(path("out")).unwrap();
        let output = piped(&directory, &create("-"), b"");
        assert!(output.stderr.is_empty(), "{output:?}");
        assert_eq!(output.stdout, expected);
        // A file, which is not replaced: another program may write to it, too.
        fs::write(path("file"), "before").unwrap();
        let file = File::options().append(true).open(path("file")).unwrap();
        let mut command = Command::new(PACKER);
        command
            .args(create("-"))
            .current_dir(&directory)
            .stdout(file);
        assert!(command.status().unwrap().success());
        let around = [b"before", &expected[..]].concat();
        assert_eq!(fs::read(path("file")).unwrap(), around);
    }
    assert!(!path("-").exists());
}

#[test]
fn a_terminal_is_refused() {
    let directory = TempDir::new().unwrap();
    let packer = |arguments: &[&str]| {
        let mut command = Command::new(PACKER);
        command.args(arguments).current_dir(&directory);
        command
    };
    for (arguments, code) in [
        (&["list", "-"][..], 1),
        (&["verify", "-"], 1),
        (&["extract", "-", "out"], 1),
        (&["diff", "-", "-"], 2),
    ] {
        let output = packer(arguments).stdin(terminal()).output().unwrap();
        let stderr = failure(output, code);
        assert!(stderr.starts_with("stdin: is a terminal, "), "{stderr}");
    }
    assert!(!directory.path().join("out").exists());
    let mut create = packer(&["create", "-", "--dir=/d"]);
    let output = create.stdout(terminal()).stderr(Stdio::piped()).spawn();
    let stderr = failure(output.unwrap().wait_with_output().unwrap(), 1);
    assert!(stderr.starts_with("stdout: is a terminal, "), "{stderr}");
}
