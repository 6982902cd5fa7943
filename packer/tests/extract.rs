//! `packer extract`: it extracts the entries, and nothing outside the directory.

mod extraction;
mod images;

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

/// Each of these images would write, change, link or remove something outside, if its paths were followed.
#[test]
fn nothing_outside_is_touched() {
    let dots = "its path contains `..`, which is not followed";
    for (what, entries, reports, inside) in [
        ("..", vec![file("../outside/victim", "evil")], vec![format!("/../outside/victim: {dots}")], found(&[])),
        (
            ".. further down",
            vec![dir("a"), file("a/../../outside/victim", "evil")],
            vec![format!("/a/../../outside/victim: {dots}")],
            found(&[("a", "0755 dir")]),
        ),
        (
            "the directory above",
            vec![E { mode: DIR | 0o700, ..dir("..") }, E { mode: DIR | 0o700, ..dir("../outside") }],
            vec![format!("/..: {dots}"), format!("/../outside: {dots}")],
            found(&[]),
        ),
        (
            "an absolute path",
            vec![dir("/etc"), file("/etc/x", "evil"), file("//y", "")],
            vec![],
            found(&[("etc", "0755 dir"), ("etc/x", "0644 file evil"), ("y", "0644 file ")]),
        ),
        (
            "through a symbolic link",
            vec![
                symlink("a", "../outside"),
                file("a/victim", "evil"),
                dir("a/d"),
                symlink("a/l", "x"),
                e("a/p", FIFO, ""),
                file("a/./b/c", ""),
            ],
            ["victim", "d", "l", "p", "b/c"]
                .map(|name| {
                    format!("/a/{name}: leads through /a, a symbolic link, which is not followed")
                })
                .to_vec(),
            found(&[("a", "-> ../outside")]),
        ),
        (
            "through a symbolic link to inside, too",
            vec![dir("d"), symlink("d/a", "."), file("d/a/x", "")],
            vec!["/d/a/x: leads through /d/a, a symbolic link, which is not followed".into()],
            found(&[("d", "0755 dir"), ("d/a", "-> .")]),
        ),
        (
            "over a symbolic link",
            vec![
                symlink("file", "../outside/victim"),
                file("file", "A"),
                symlink("dir", "../outside"),
                E { mode: DIR | 0o700, ..dir("dir") },
                symlink("link", "../outside"),
                symlink("link", "x"),
                symlink("fifo", "../outside/victim"),
                e("fifo", FIFO | 0o777, ""),
            ],
            vec![],
            found(&[
                ("file", "0644 file A"),
                ("dir", "0700 dir"),
                ("link", "-> x"),
                ("fifo", "0777 fifo"),
            ]),
        ),
        (
            "a directory that becomes a symbolic link before it gets its mode",
            vec![E { mode: DIR | 0o777, mtime: 1, ..dir("a") }, symlink("a", "../outside")],
            vec![],
            found(&[("a", "-> ../outside")]),
        ),
        (
            "a file of several names that becomes a symbolic link",
            vec![
                E { mode: FILE | 0o777, ..name("a", 1, 3, "") },
                symlink("a", "../outside/victim"),
                E { mode: FILE | 0o777, ..name("b", 1, 3, "evil") },
                E { mode: FILE | 0o777, ..name("c", 1, 3, "evil") },
            ],
            ["b", "c"]
                .map(|name| {
                    format!("/{name}: is a hard link of /a, which is a symbolic link by now, and is not extracted")
                })
                .to_vec(),
            found(&[("a", "-> ../outside/victim")]),
        ),
        (
            "a file of several names, of which the first is lost",
            vec![name("d/a", 1, 2, ""), name("b", 1, 2, "A")],
            vec![
                "/d/a: Linux drops it: /d is not there".into(),
                "/b: Linux drops it: it is a hard link of /d/a, which is not there".into(),
            ],
            found(&[]),
        ),
        (
            "the root as something else",
            vec![file(".", "evil"), symlink("/", "../outside"), e("./", FIFO, "")],
            vec!["/: Linux skips it: its path is that of a directory, but it is not a directory".into(); 3],
            found(&[]),
        ),
        (
            "a long path",
            vec![file("x".repeat(5000), "evil")],
            vec![format!("/{}: Linux skips it: its path is not 1 to 4095 bytes long", "x".repeat(4096))],
            found(&[]),
        ),
        (
            "a long name",
            vec![file("x".repeat(256), "evil")],
            vec![format!("/{}: File name too long (os error 36)", "x".repeat(256))],
            found(&[]),
        ),
    ] {
        let place = Place::new();
        let outside = place.path("outside");
        let before = (state(&outside), fs::metadata(&outside).unwrap());
        assert_eq!(place.reports(&entries), reports, "{what}");
        assert_eq!(place.inside(), inside, "{what}");

        let after = (state(&outside), fs::metadata(&outside).unwrap());
        assert_eq!(before.0, after.0, "{what}");
        let times = |metadata: &fs::Metadata| (metadata.ctime(), metadata.ctime_nsec());
        assert_eq!(times(&before.1), times(&after.1), "{what}");
        let names: Vec<_> = fs::read_dir(place.0.path()).unwrap().collect();
        assert_eq!(names.len(), 2, "{what}: {names:?}");
    }
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
    for (image, code) in [(&whole[..], Some(Some(1))), (broken, None)] {
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
        if let Some(code) = code {
            assert_eq!(status.code(), code);
        }
        let expected = found(&[("d", "0755 dir"), ("d/f", "0644 file A")]);
        assert_eq!(place.inside(), expected);
        assert_eq!(fs::metadata(place.path("inside/d")).unwrap().mtime(), 5);
    }
}

/// Runs the program in a directory with `image` in it, as a user who is not root.
fn unprivileged(image: &[u8], options: &[&str]) -> (Place, Option<i32>, String) {
    let place = Place::new();
    fs::set_permissions(place.0.path(), Permissions::from_mode(0o777)).unwrap();
    // Other users may not run it in the directory where it was built.
    let program = place.path("packer");
    fs::copy(env!("CARGO_BIN_EXE_packer"), &program).unwrap();
    fs::write(place.path("image"), image).unwrap();
    let mut command = Command::new(program);
    command
        .args(["extract", "image", "inside"])
        .args(options)
        .current_dir(&place.0);
    if is_root() {
        command.uid(65534).gid(65534);
    }
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    assert_eq!(stdout, b"");
    (place, status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn without_root() {
    if rustix::process::geteuid().is_root() && !is_root() {
        eprintln!("skipped: there is nobody to be but root");
        return;
    }
    let image = archive(&[
        E {
            uid: 0,
            gid: 0,
            mode: DIR | 0o2500,
            ..dir("d")
        },
        E {
            mode: FILE | 0o6755,
            ..file("d/suid", "A")
        },
        E {
            mode: FILE | 0o6555,
            ..name("d/one", 1, 2, "")
        },
        device("d/console", CHAR | 0o600, (5, 1)),
        device("d/sda", BLOCK | 0o600, (8, 0)),
        E {
            mode: FILE | 0o6555,
            uid: 7,
            ..name("d/two", 1, 2, "B")
        },
        // A file that cannot be written to, and that is overridden under both names.
        E {
            mode: FILE | 0o444,
            ..name("d/three", 2, 2, "C")
        },
        E {
            mode: FILE | 0o444,
            ..name("d/four", 2, 2, "")
        },
    ]);
    let image = [
        image,
        archive(&[E {
            mode: FILE | 0o444,
            ..file("d/three", "D")
        }]),
    ]
    .concat();
    let (place, code, stderr) = unprivileged(&image, &[]);
    let devices = "image: /d/console: is a device, 5:1, which only root can make\n\
                   image: /d/sda: is a device, 8:0, which only root can make\n";
    assert_eq!((code, &stderr[..]), (Some(1), devices));
    let mut inside = place.inside();
    assert_eq!(inside.remove("d").unwrap(), "0500 dir");
    let expected = found(&[
        ("d/suid", "0755 file A"),
        ("d/one", "0555 file B"),
        ("d/two", "0555 file B"),
        ("d/three", "0444 file D"),
        ("d/four", "0444 file D"),
    ]);
    assert_eq!(inside, expected);
    let _ = fs::set_permissions(place.path("inside/d"), Permissions::from_mode(0o700));

    let (place, code, stderr) = unprivileged(&image, &["--skip-devices"]);
    assert_eq!((code, &stderr[..]), (Some(0), ""));
    let _ = fs::set_permissions(place.path("inside/d"), Permissions::from_mode(0o700));
}

/// Files are put into a directory even if the umask removes permissions of its owner.
#[test]
fn with_any_umask() {
    let place = Place::new();
    fs::set_permissions(place.0.path(), Permissions::from_mode(0o777)).unwrap();
    let program = place.path("packer");
    fs::copy(env!("CARGO_BIN_EXE_packer"), &program).unwrap();
    fs::create_dir(place.path("inside")).unwrap();
    fs::set_permissions(place.path("inside"), Permissions::from_mode(0o777)).unwrap();
    let image = archive(&[
        dir("d"),
        file("d/f", "A"),
        name("d/a", 1, 2, ""),
        name("d/b", 1, 2, "B"),
    ]);
    fs::write(place.path("image"), image).unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", "umask 0777; exec ./packer extract image inside"])
        .current_dir(&place.0);
    if is_root() {
        command.uid(65534).gid(65534);
    }
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    let expected = found(&[
        ("d", "0755 dir"),
        ("d/f", "0644 file A"),
        ("d/a", "0644 file B"),
        ("d/b", "0644 file B"),
    ]);
    assert_eq!(place.inside(), expected);
}

#[test]
fn as_root() {
    if !is_root() {
        eprintln!("skipped: this is not run by root");
        return;
    }
    let place = Place::new();
    let entries = [
        E {
            uid: 1,
            gid: 2,
            mode: DIR | 0o2750,
            ..dir("d")
        },
        E {
            uid: 1000,
            gid: 100,
            mode: FILE | 0o6755,
            ..file("d/suid", "A")
        },
        E {
            uid: 3,
            gid: 4,
            ..symlink("l", "nowhere")
        },
        E {
            uid: 5,
            gid: 6,
            ..e("p", FIFO | 0o600, "")
        },
        E {
            uid: 8,
            gid: 8,
            ..name("one", 1, 2, "")
        },
        E {
            uid: 7,
            gid: 8,
            mode: FILE | 0o4711,
            ..name("two", 1, 2, "B")
        },
        E {
            uid: u32::MAX,
            gid: u32::MAX,
            ..file("as it is", "")
        },
    ];
    assert_eq!(place.reports(&entries), [""; 0]);
    for (path, owner, mode) in [
        ("d", (1, 2), 0o2750),
        ("d/suid", (1000, 100), 0o6755),
        ("l", (3, 4), 0o777),
        ("p", (5, 6), 0o600),
        ("one", (7, 8), 0o4711),
        ("as it is", (0, 0), 0o644),
    ] {
        let metadata = fs::symlink_metadata(place.path("inside").join(path)).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), owner, "{path}");
        assert_eq!(metadata.mode() & 0o7777, mode, "{path}");
    }
}

#[test]
fn devices() {
    if !may_make_devices() {
        eprintln!("skipped: nobody can make devices here");
        return;
    }
    let place = Place::new();
    let entries = [
        device("char", CHAR | 0o620, (4095, 1048575)),
        device("block", BLOCK | 0o660, (8, 300)),
        E {
            ino: 1,
            nlink: 2,
            ..device("one", CHAR | 0o600, (1, 3))
        },
        E {
            ino: 1,
            nlink: 2,
            ..device("two", CHAR | 0o600, (1, 3))
        },
        // As in Linux, only its mode changes.
        device("char", CHAR | 0o600, (1, 1)),
        device("large", CHAR | 0o600, (4096, 0)),
    ];
    let large = "/large: is the device 4096:0, which Linux would cut off";
    assert_eq!(place.reports(&entries), [large]);
    let makedev = |major, minor| format!("{:x}", rustix::fs::makedev(major, minor));
    let inside = place.inside();
    assert_eq!(
        inside["char"],
        format!("0600 device {}", makedev(4095, 1048575))
    );
    assert_eq!(inside["block"], format!("0660 device {}", makedev(8, 300)));
    assert_eq!(inside["one"], format!("0600 device {}", makedev(1, 3)));
    let ino = |path: &str| fs::metadata(place.path(path)).unwrap().ino();
    assert_eq!(ino("inside/one"), ino("inside/two"));

    let place = Place::new();
    let options = ExtractOptions { skip_devices: true };
    let image = archive(&entries);
    extract(
        &image[..],
        &place.path("inside"),
        options,
        &mut |_| panic!(),
    )
    .unwrap();
    assert_eq!(place.inside(), found(&[]));
}
