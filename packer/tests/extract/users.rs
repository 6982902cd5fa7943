//! Extraction by root and by other users, with any umask, and of devices.

use super::*;

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
    let options = ExtractOptions {
        skip_devices: true,
        ..ExtractOptions::default()
    };
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
