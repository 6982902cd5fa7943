//! `packer extract`: it extracts the entries, and nothing outside the directory.

#[path = "../extraction/mod.rs"]
mod extraction;
#[path = "../images/mod.rs"]
mod images;
mod outside;
mod users;

use extraction::*;
use images::*;
use packer::extract::{ExtractOptions, extract};
use std::fs::{self, Permissions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink as make_symlink};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

#[test]
fn all_is_as_in_the_image() {
    let place = Place::new();
    let image = archive(&[
        E {
            mode: DIR | 0o750,
            mtime: 5,
            ..dir(".")
        },
        E {
            mode: DIR | 0o1777,
            mtime: 6,
            ..dir("tmp")
        },
        E {
            mode: DIR | 0o555,
            mtime: 7,
            ..dir("closed")
        },
        E {
            mode: DIR | 0o500,
            mtime: 8,
            ..dir("closed/more")
        },
        E {
            mtime: 9,
            mode: FILE | 0o444,
            ..file("closed/more/f", "A")
        },
        E {
            mtime: 10,
            ..file("closed/g", "x".repeat(200_000))
        },
        E {
            mtime: 11,
            ..symlink("l", "nowhere/at all")
        },
        E {
            mtime: 12,
            // The number has no meaning, and is not valid for a device.
            rdev: (u32::MAX, u32::MAX),
            ..e("p", FIFO | 0o622, "")
        },
        E {
            mtime: 13,
            ..e("s", SOCKET | 0o755, "")
        },
        E {
            mtime: 14,
            mode: FILE | 0o400,
            ..name("one", 1, 3, "")
        },
        E {
            mtime: 14,
            mode: FILE | 0o400,
            ..name("closed/two", 1, 3, "")
        },
        E {
            mtime: 14,
            mode: FILE | 0o400,
            ..name("three", 1, 3, "linked")
        },
        E {
            mtime: u32::MAX,
            ..file("late", "")
        },
    ]);
    let (reports, result) = place.extract(&image[..]);
    assert_eq!(reports, [""; 0]);
    result.unwrap();

    let mut inside = place.inside();
    assert_eq!(
        inside.remove("closed/g"),
        Some(format!("0644 file {}", "x".repeat(200_000)))
    );
    let expected = found(&[
        ("tmp", "1777 dir"),
        ("closed", "0555 dir"),
        ("closed/more", "0500 dir"),
        ("closed/more/f", "0444 file A"),
        ("l", "-> nowhere/at all"),
        ("p", "0622 fifo"),
        ("s", "0755 socket"),
        ("one", "0400 file linked"),
        ("closed/two", "0400 file linked"),
        ("three", "0400 file linked"),
        ("late", "0644 file "),
    ]);
    assert_eq!(inside, expected);
    for (path, mtime) in [
        ("", 5),
        ("tmp", 6),
        ("closed", 7),
        ("closed/more", 8),
        ("closed/more/f", 9),
        ("closed/g", 10),
        ("l", 11),
        ("p", 12),
        ("s", 13),
        ("one", 14),
        ("late", i64::from(u32::MAX)),
    ] {
        let metadata = fs::symlink_metadata(place.path("inside").join(path)).unwrap();
        assert_eq!(
            (metadata.mtime(), metadata.mtime_nsec()),
            (mtime, 0),
            "{path}"
        );
    }
    let metadata = |path: &str| fs::metadata(place.path("inside").join(path)).unwrap();
    assert_eq!(metadata("").mode() & 0o7777, 0o750);
    assert_eq!(metadata("one").nlink(), 3);
    assert_eq!(metadata("one").ino(), metadata("closed/two").ino());
    // So that the test can remove it.
    fs::set_permissions(place.path("inside/closed"), Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(
        place.path("inside/closed/more"),
        Permissions::from_mode(0o700),
    )
    .unwrap();
}

#[test]
fn what_linux_would_drop_is_reported() {
    for (entries, expected) in [
        (
            vec![file("a/b", "")],
            "/a/b: Linux drops it: /a is not there",
        ),
        (
            vec![file("a", ""), file("a/b", "")],
            "/a/b: Linux drops it: /a is not a directory",
        ),
        (
            vec![e("d", DIR, "x")],
            "/d: Linux skips it: it has contents, but is not a file",
        ),
        (
            vec![dir("d"), dir("d/e"), file("d", "x")],
            "/d: Linux drops it: there is a directory that is not empty",
        ),
        (
            vec![name("a", 1, 2, ""), name("a", 1, 2, "")],
            "/a: Linux drops it: it is a hard link of /a, which is the entry itself",
        ),
        (
            vec![symlink("l", "")],
            "/l: No such file or directory (os error 2)",
        ),
    ] {
        let mut entries = entries;
        entries.push(file("last", ""));
        let place = Place::new();
        assert_eq!(place.reports(&entries), [expected]);
        assert!(
            place.inside().contains_key("last"),
            "the others are extracted"
        );
    }
}

/// A directory that is removed and made again is a different one.
#[test]
fn a_directory_that_is_made_again() {
    let place = Place::new();
    let too_long = file(format!("d/{}", "x".repeat(256)), "");
    let entries = [
        dir("d"),
        too_long,
        file("d", ""),
        dir("d"),
        file("d/f", "A"),
    ];
    assert_eq!(place.reports(&entries).len(), 1);
    let expected = found(&[("d", "0755 dir"), ("d/f", "0644 file A")]);
    assert_eq!(place.inside(), expected);
}

#[test]
fn later_archives_override() {
    let first = archive(&[
        E {
            mtime: 1,
            ..dir("d")
        },
        file("d/f", "long contents"),
        symlink("l", "x"),
        dir("empty"),
        name("one", 1, 2, "A"),
        E {
            mode: FILE | 0o400,
            ..name("two", 1, 2, "")
        },
        file("becomes a directory", ""),
    ]);
    let second = archive(&[
        // As in Linux, the time of the first entry counts.
        E {
            mode: DIR | 0o700,
            mtime: 2,
            ..dir("d")
        },
        E {
            mode: FILE | 0o600,
            ..file("d/f", "B")
        },
        file("l", "C"),
        symlink("empty", "y"),
        // The file has two names when it is written to again.
        E {
            mode: FILE | 0o640,
            ..file("one", "D")
        },
        dir("becomes a directory"),
        file("becomes a directory/f", ""),
        // The same number is another file in another archive.
        name("three", 1, 2, "E"),
    ]);
    let place = Place::new();
    let (reports, result) = place.extract(&[first, gzip(&second)].concat()[..]);
    assert_eq!(reports, [""; 0]);
    result.unwrap();
    let expected = found(&[
        ("d", "0700 dir"),
        ("d/f", "0600 file B"),
        ("l", "0644 file C"),
        ("empty", "-> y"),
        ("one", "0640 file D"),
        ("two", "0640 file D"),
        ("becomes a directory", "0755 dir"),
        ("becomes a directory/f", "0644 file "),
        ("three", "0644 file E"),
    ]);
    assert_eq!(place.inside(), expected);
    assert_eq!(fs::metadata(place.path("inside/d")).unwrap().mtime(), 1);
}

/// As in Linux, the time of the first entry counts, and an owner of all ones changes nothing.
#[test]
fn a_directory_with_several_entries() {
    let place = Place::new();
    let with = |path: &str, mode, owner, mtime| E {
        mode: DIR | mode,
        uid: owner,
        gid: owner,
        mtime,
        ..dir(path)
    };
    // In a user namespace, root may not be able to change the owner of a file.
    let owner = if is_root() { 1000 } else { 0 };
    let entries = ["/", "d"].map(|path| {
        [
            with(path, 0o700, owner, 1),
            with(path, 0o750, u32::MAX, 2),
            with(path, 0o711, u32::MAX, 3),
        ]
    });
    assert_eq!(place.reports(&entries.concat()), [""; 0]);
    for path in ["inside", "inside/d"] {
        let metadata = fs::metadata(place.path(path)).unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.mtime()), (0o711, 1));
        if is_root() {
            assert_eq!((metadata.uid(), metadata.gid()), (owner, owner));
        }
    }
}

#[test]
fn the_directory_is_empty() {
    let image = archive(&[dir("d")]);
    let place = Place::new();
    place.extract(&image[..]).1.unwrap();
    let inside = place.path("inside");
    let error = place.extract(&image[..]).1.unwrap_err().to_string();
    let expected = "has d in it; extract to a directory that is empty, or that is not there yet";
    assert_eq!(error, format!("{}: {expected}", inside.display()));

    fs::remove_dir(place.path("inside/d")).unwrap();
    place.extract(&image[..]).1.unwrap();

    for (path, expected) in [
        ("outside/victim", "Not a directory (os error 20)"),
        ("not/there", "No such file or directory (os error 2)"),
    ] {
        let path = place.path(path);
        let error = extract(
            &image[..],
            &path,
            ExtractOptions::default(),
            &mut |_| panic!(),
        )
        .unwrap_err();
        assert_eq!(error.to_string(), format!("{}: {expected}", path.display()));
    }
    assert_eq!(fs::read(place.path("outside/victim")).unwrap(), b"precious");
    // A symbolic link on the command line is followed.
    fs::create_dir(place.path("empty")).unwrap();
    make_symlink("empty", place.path("link")).unwrap();
    extract(
        &image[..],
        &place.path("link"),
        ExtractOptions::default(),
        &mut |_| panic!(),
    )
    .unwrap();
    assert!(place.path("empty/d").is_dir());
}

#[test]
fn what_comes_before_a_break_stays() {
    let mut image = archive(&[
        E {
            mode: DIR | 0o700,
            mtime: 5,
            ..dir("d")
        },
        file("d/f", "A"),
        E {
            mode: FILE | 0o400,
            mtime: 6,
            ..name("one", 1, 2, "B")
        },
        file("broken", "0123456789"),
    ]);
    let end = image
        .windows(10)
        .position(|bytes| bytes == b"0123456789")
        .unwrap();
    image.truncate(end + 3);
    let place = Place::new();
    let (reports, result) = place.extract(&image[..]);
    assert_eq!(reports, [""; 0]);
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("is cut off: 7 bytes of the contents of broken are missing"),
        "{error}"
    );
    let inside = place.inside();
    assert_eq!(inside["d"], "0700 dir");
    assert_eq!(inside["d/f"], "0644 file A");
    assert_eq!(inside["one"], "0400 file B");
    assert_eq!(fs::metadata(place.path("inside/d")).unwrap().mtime(), 5);
}

/// Standard error is closed, but the directories get their attributes.
#[test]
fn a_closed_stderr_is_no_reason_to_stop() {
    let entries = [
        E {
            mode: DIR | 0o755,
            mtime: 5,
            ..dir("d")
        },
        file("missing/f", ""),
        file("d/f", "A"),
    ];
    let whole = archive(&entries);
    let broken = &whole[..whole.len() - 1];
    for image in [&whole[..], broken] {
        let place = Place::new();
        fs::write(place.path("image"), image).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(ours);
        let status = Command::new(env!("CARGO_BIN_EXE_packer"))
            .args(["extract", "image", "inside"])
            .current_dir(&place.0)
            .stderr(OwnedFd::from(theirs))
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(1));
        let expected = found(&[("d", "0755 dir"), ("d/f", "0644 file A")]);
        assert_eq!(place.inside(), expected);
        assert_eq!(fs::metadata(place.path("inside/d")).unwrap().mtime(), 5);
    }
}
