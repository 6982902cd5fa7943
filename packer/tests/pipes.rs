//! Output that cannot be written, because the pipe is closed or the disk is full. The program ends with an
//! exit code and never panics.

mod images;

use images::*;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A pipe whose reading end is closed.
fn closed() -> Stdio {
    let (ours, _) = UnixStream::pair().unwrap();
    OwnedFd::from(ours).into()
}

fn full() -> Stdio {
    File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

fn packer(arguments: &[&str]) -> (TempDir, Command) {
    let directory = TempDir::new().unwrap();
    let path = |name| directory.path().join(name);
    let many: Vec<_> = (0..10_000).map(|number| dir(number.to_string())).collect();
    fs::write(path("many"), archive(&many)).unwrap();
    fs::write(path("other"), archive(&[])).unwrap();
    fs::write(path("bad"), archive(&[file("d/f", "")])).unwrap();
    fs::write(path("files"), archive(&[file("text", "x".repeat(100_000))])).unwrap();
    fs::write(path("junk"), "junk").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_packer"));
    command.args(arguments).current_dir(&directory);
    (directory, command)
}

#[test]
fn standard_output() {
    for (arguments, closed_code, full_code) in [
        (&["list", "many"][..], 0, 1),
        (&["list", "--json", "many"], 0, 1),
        (&["verify", "many"], 0, 1),
        // The exit code says that they differ, even if nobody reads the output.
        (&["diff", "many", "other"], 1, 2),
        (&["cat", "files", "text"], 0, 1),
        (&["completions", "bash"], 0, 1),
        (&["--help"], 0, 1),
        (&["create", "--help"], 0, 1),
        (&["--version"], 0, 1),
    ] {
        let (_directory, mut command) = packer(arguments);
        let Output { status, stderr, .. } = command.stdout(closed()).output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(
            (status.code(), &stderr[..]),
            (Some(closed_code), ""),
            "{arguments:?}"
        );

        let Output { status, stderr, .. } = command.stdout(full()).output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(full_code), "{arguments:?}");
        let expected = "standard output: No space left on device (os error 28)\n";
        assert_eq!(stderr, expected, "{arguments:?}");
    }
}

#[test]
fn standard_error() {
    for (arguments, code) in [
        (&["list", "junk"][..], 1),
        (&["list", "nowhere"], 1),
        (&["verify", "bad"], 1),
        (&["verify", "junk"], 1),
        (&["extract", "bad", "."], 1),
        (&["cat", "many", "nowhere"], 1),
        (&["diff", "many", "junk"], 2),
        (&["create", "out", "--file=/a=nowhere"], 1),
        (&["create", "out"], 2),
        (&["fly"], 2),
        (&["man", "nowhere"], 1),
    ] {
        for (what, stderr) in [("closed", closed()), ("full", full())] {
            let (_directory, mut command) = packer(arguments);
            let status = command
                .stderr(stderr)
                .stdout(Stdio::null())
                .status()
                .unwrap();
            assert_eq!(status.code(), Some(code), "{what}: {arguments:?}");
        }
    }
}
