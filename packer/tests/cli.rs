//! Runs the `packer` program as users do.

use std::fs::{self, File, FileTimes, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const PACKER: &str = env!("CARGO_BIN_EXE_packer");

/// A directory to run `packer` in, with a file `init` that is executable and a file `text` that is not.
fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("init"), "#!").unwrap();
    fs::write(directory.path().join("text"), "words").unwrap();
    set_mode(&directory.path().join("init"), 0o700);
    set_mode(&directory.path().join("text"), 0o600);
    directory
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn packer(directory: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(PACKER);
    command
        .current_dir(directory)
        .env_remove("SOURCE_DATE_EPOCH")
        .arg("create");
    command.args(arguments);
    command
}

fn succeeds(command: &mut Command) {
    let Output { status, stderr, .. } = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(
        status.success() && stderr.is_empty(),
        "{command:?}: {status}\n{stderr}"
    );
}

/// The bytes of the image `out`, made from `arguments`.
fn packed(directory: &TempDir, arguments: &[&str]) -> Vec<u8> {
    succeeds(packer(directory, &["out"]).args(arguments));
    fs::read(directory.path().join("out")).unwrap()
}

/// Every kind of entry, one with an explicit parent and one without.
const EVERYTHING: &[&str] = &[
    "--file=/init=./init",
    "--file=/etc/text=text:0444",
    "--dir=/dev:0700",
    "--node=/dev/console=c:5:1:0600",
    "--node=/dev/sda=b:8:1048575",
    "--symlink=/sh=init",
];

/// An archive written by hand from the kernel's buffer-format.rst. The spaces are only for readability.
#[test]
fn every_byte_is_as_documented() {
    #[rustfmt::skip]
    let entries = [
        // magic ino   mode     uid      gid      nlink    mtime    size     dev: major, minor rdev: major, minor namesize check
        ("070701 00000001 000041c0 00000000 00000000 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000004 00000000",
         "dev\0\0\0"),
        ("070701 00000002 00002180 00000000 00000000 00000001 00000000 00000000 00000000 00000000 00000005 00000001 0000000c 00000000",
         "dev/console\0\0\0"),
        ("070701 00000003 00006180 00000000 00000000 00000001 00000000 00000000 00000000 00000000 00000008 000fffff 00000008 00000000",
         "dev/sda\0\0\0"),
        ("070701 00000004 000041ed 00000000 00000000 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000004 00000000",
         "etc\0\0\0"),
        ("070701 00000005 00008124 00000000 00000000 00000001 00000000 00000005 00000000 00000000 00000000 00000000 00000009 00000000",
         "etc/text\0\0words\0\0\0"),
        ("070701 00000006 000081ed 00000000 00000000 00000001 00000000 00000002 00000000 00000000 00000000 00000000 00000005 00000000",
         "init\0\0#!\0\0"),
        ("070701 00000007 0000a1ff 00000000 00000000 00000001 00000000 00000004 00000000 00000000 00000000 00000000 00000003 00000000",
         "sh\0\0\0\0init"),
        ("070701 00000000 00000000 00000000 00000000 00000001 00000000 00000000 00000000 00000000 00000000 00000000 0000000b 00000000",
         "TRAILER!!!\0\0\0\0"),
    ];
    let mut expected: String = entries
        .map(|(header, rest)| header.replace(' ', "") + rest)
        .concat();
    while expected.len() % 512 != 0 {
        expected.push('\0');
    }

    let directory = directory();
    let archive = packed(&directory, &[EVERYTHING, &["--compress=none"]].concat());
    assert_eq!(String::from_utf8(archive).unwrap(), expected);

    let mut unpacked = String::new();
    let image = packed(&directory, EVERYTHING);
    flate2::read::GzDecoder::new(&image[..])
        .read_to_string(&mut unpacked)
        .unwrap();
    assert_eq!(unpacked, expected, "gzip is the default");
}

/// Reads the archive with an independent library.
#[test]
fn is_read_back() {
    let archive = packed(&directory(), &[EVERYTHING, &["--compress=none"]].concat());
    let mut rest = &archive[..];
    let mut seen = Vec::new();
    loop {
        let mut reader = cpio::NewcReader::new(rest).unwrap();
        if reader.entry().is_trailer() {
            break;
        }
        let mut contents = String::new();
        reader.read_to_string(&mut contents).unwrap();
        let entry = reader.entry();
        seen.push(format!("{} {:o} {contents}", entry.name(), entry.mode()));
        rest = reader.finish().unwrap();
    }
    assert_eq!(
        seen,
        [
            "dev 40700 ",
            "dev/console 20600 ",
            "dev/sda 60600 ",
            "etc 40755 ",
            "etc/text 100444 words",
            "init 100755 #!",
            "sh 120777 init",
        ]
    );
}

#[test]
fn only_what_is_asked_for_matters() {
    let before = directory();
    let expected = packed(&before, EVERYTHING);

    let reversed: Vec<_> = EVERYTHING.iter().rev().copied().collect();
    assert_eq!(packed(&before, &reversed), expected, "order of the options");

    let twice = [EVERYTHING, EVERYTHING].concat();
    assert_eq!(packed(&before, &twice), expected, "entries given twice");

    // Made in another order, so with other inode numbers, at another time and with other permissions.
    let after = TempDir::new().unwrap();
    for (name, contents, mode) in [("text", "words", 0o444), ("init", "#!", 0o755)] {
        let path = after.path().join(name);
        let file = File::create(&path).unwrap();
        fs::write(&path, contents).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        file.set_times(FileTimes::new().set_modified(time).set_accessed(time))
            .unwrap();
        set_mode(&path, mode);
        // Only root may give files away; for anybody else the owner stays the same.
        let _ = std::os::unix::fs::chown(&path, Some(1234), Some(1234));
    }
    assert_eq!(
        packed(&after, EVERYTHING),
        expected,
        "inodes, times, modes, owners"
    );

    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        r#"umask 077; exec "$@""#,
        "sh",
        PACKER,
        "create",
        "out",
    ]);
    shell.args(EVERYTHING).current_dir(&before).env_clear();
    // Ignore the shell's messages about a locale that is not installed.
    let status = shell
        .envs([("TZ", "Asia/Tokyo"), ("LC_ALL", "tr_TR.UTF-8")])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{shell:?}: {status}");
    assert_eq!(
        fs::read(before.path().join("out")).unwrap(),
        expected,
        "umask, TZ, locale"
    );
}

#[test]
fn source_date_epoch_is_the_time_of_every_entry() {
    let directory = directory();
    let mut command = packer(&directory, &["out", "--dir=/a/b", "--compress=none"]);
    succeeds(command.env("SOURCE_DATE_EPOCH", "4294967295"));
    let archive = fs::read(directory.path().join("out")).unwrap();
    // Two headers of 110 bytes, paths of 2 and 4; the sixth number is mtime.
    assert_eq!(archive[6 + 5 * 8..][..8], *b"ffffffff");
    assert_eq!(archive[112 + 6 + 5 * 8..][..8], *b"ffffffff");
}

#[test]
fn replaces_an_image_and_leaves_nothing_beside_it() {
    let directory = directory();
    fs::write(directory.path().join("out"), "old").unwrap();
    let image = packed(&directory, &["--file=/init=init"]);
    assert!(image.starts_with(&[0x1f, 0x8b]));
    assert_eq!(names(&directory), ["init", "out", "text"]);

    // With 0600, the mode of a temporary file, other users could not boot it.
    let mode = fs::metadata(directory.path().join("out"))
        .unwrap()
        .permissions()
        .mode();
    let usual = fs::metadata({
        fs::write(directory.path().join("new"), "").unwrap();
        directory.path().join("new")
    });
    assert_eq!(mode, usual.unwrap().permissions().mode());
}

fn names(directory: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Runs `packer`, which must fail, print only `error`, and change no files.
fn fails(directory: &TempDir, command: &mut Command, code: i32, error: &str) {
    let before = names(directory);
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(code), "{command:?}\n{stderr}");
    assert!(stdout.is_empty());
    match code {
        2 => assert!(stderr.contains(error), "{command:?}\n{stderr}"),
        _ => assert_eq!(stderr, format!("{error}\n"), "{command:?}"),
    }
    assert_eq!(names(directory), before, "{command:?}");
}

/// Replaces /dev/null, so that a bug cannot damage the machine.
fn make_fifo(directory: &TempDir) {
    let fifo = directory.path().join("fifo");
    assert!(Command::new("mkfifo").arg(fifo).status().unwrap().success());
}

#[test]
fn inputs_that_cannot_be_packed() {
    let directory = directory();
    let path = |name| directory.path().join(name);
    File::create(path("huge"))
        .unwrap()
        .set_len(1 << 32)
        .unwrap();
    std::os::unix::fs::symlink("loop", path("loop")).unwrap();
    make_fifo(&directory);

    for (argument, error) in [
        (
            "--file=/a=none",
            "none: No such file or directory (os error 2)",
        ),
        ("--file=/a=text/x", "text/x: Not a directory (os error 20)"),
        (
            "--file=/a=loop",
            "loop: Too many levels of symbolic links (os error 40)",
        ),
        ("--file=/a=.", ".: is a directory, not a file"),
        ("--file=/a=fifo", "fifo: is not a regular file"),
        ("--file=/a=/dev/zero", "/dev/zero: is not a regular file"),
        (
            "--file=/a=huge",
            "huge: has 4294967296 bytes, but newc can store at most 4294967295",
        ),
        (
            // Like all files in /proc, it has the size 0 until it is read.
            "--file=/a=/proc/version",
            "/proc/version: has more bytes than its size, 0; the file must not change while it is packed",
        ),
        ("--file=/=text", "/: is the root, which cannot be a file"),
        (
            "--file==text",
            "\"\": a path in the archive cannot be empty",
        ),
        ("--dir=", "\"\": a path in the archive cannot be empty"),
        (
            "--dir=/a/../b",
            "/a/../b: a path in the archive cannot contain `..`",
        ),
        (
            "--dir=/TRAILER!!!",
            "/TRAILER!!!: this name marks the end of an archive; use another",
        ),
        ("--symlink=/l=", "/l: a link needs a target"),
        (
            "--file=/text=init",
            "/text: is there already, as a file from text",
        ),
        ("--tree=.", "out: is inside ., which is to be packed"),
        ("--tree=text", "text: is not a directory"),
        (
            "--symlink=/text/l=x",
            "/text/l: cannot be inside /text, which is a file",
        ),
    ] {
        // /text is packed first, so there is an incomplete image when the error occurs.
        let mut command = packer(&directory, &["out", "--file=/text=text"]);
        fails(&directory, command.arg(argument), 1, error);
    }
}

#[test]
fn an_unreadable_source() {
    let directory = directory();
    let text = directory.path().join("text");
    set_mode(&text, 0);
    // Root can read it anyway.
    if File::open(&text).is_err() {
        let mut command = packer(&directory, &["out", "--file=/a=text"]);
        fails(
            &directory,
            &mut command,
            1,
            "text: Permission denied (os error 13)",
        );
    }
}

#[test]
fn outputs_that_cannot_be_written() {
    let directory = directory();
    std::os::unix::fs::symlink("loop", directory.path().join("loop")).unwrap();
    for (out, error) in [
        (".", ".: is a directory"),
        ("new/", "new/: is not the path of a file"),
        ("new/.", "new/.: is not the path of a file"),
        (
            "loop",
            "loop: Too many levels of symbolic links (os error 40)",
        ),
        (
            "none/out",
            "none/out: cannot make a file in none: No such file or directory (os error 2)",
        ),
        ("text/out", "text/out: Not a directory (os error 20)"),
    ] {
        fails(
            &directory,
            &mut packer(&directory, &[out, "--dir=/d"]),
            1,
            error,
        );
    }

    // The shell's limit on the size of files simulates a full disk.
    fs::write(directory.path().join("big"), vec![b'x'; 1 << 20]).unwrap();
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        r#"ulimit -f 100; exec "$@""#,
        "sh",
        PACKER,
        "create",
        "out",
    ]);
    shell
        .args(["--file=/big=big", "--compress=none"])
        .current_dir(&directory);
    fails(
        &directory,
        &mut shell,
        1,
        "out: File too large (os error 27)",
    );
}

#[test]
fn times_that_cannot_be() {
    let directory = directory();
    for epoch in ["", "soon", "-1", "+1", "1.5", "4294967296"] {
        let mut command = packer(&directory, &["out", "--dir=/d"]);
        let reason = "is not a number of seconds from 0 to 4294967295";
        let error = format!("SOURCE_DATE_EPOCH: `{epoch}` {reason}");
        fails(
            &directory,
            command.env("SOURCE_DATE_EPOCH", epoch),
            1,
            &error,
        );
    }
}

/// Errors in the command line itself. clap writes a part of the message.
#[test]
fn usage() {
    let directory = directory();
    for (argument, error) in [
        ("--file=/a", "/a: `/a` is not DEST=SRC[:MODE]"),
        (
            "--file=/a=text:9",
            "/a: `9` is not an octal mode from 0 to 7777",
        ),
        (
            "--node=/n=c:4096:1",
            "/n: `4096` is not a major number from 0 to 4095",
        ),
        (
            "--node=/n=c:5:x",
            "/n: `x` is not a minor number from 0 to 1048575",
        ),
        ("--compress=gzip:13", "a number from 1 to 12, not \"13\""),
        (
            "--compress=lzip",
            "expected none, or gzip, zstd, xz, bzip2 or lzma",
        ),
        ("--jobs=0", "'0' for '--jobs <N>'"),
        ("--shrink", "--shrink"),
    ] {
        fails(
            &directory,
            &mut packer(&directory, &["out", "--dir=/d", argument]),
            2,
            error,
        );
    }
    for (arguments, missing) in [
        (&["out"][..], "--file"),
        (&["--dir=/d"], "<OUT>"),
        (&["", "--dir=/d"], "<OUT>"),
    ] {
        fails(&directory, &mut packer(&directory, arguments), 2, missing);
    }
}

#[test]
fn help_and_version() {
    for (arguments, text) in [
        (
            &["--version"][..],
            concat!("packer ", env!("CARGO_PKG_VERSION"), "\n"),
        ),
        (&["create", "--help"][..], "--node /dev/console=c:5:1:0600"),
    ] {
        let output = Command::new(PACKER).args(arguments).output().unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains(text));
    }
}
