//! `packer extract`, if another entry or another process has replaced an extracted file.

mod extraction;
mod images;

use extraction::*;
use images::*;
use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink as make_symlink};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// The reports for an image that is not damaged. Fails if the extraction does not end.
fn reports_in_time(entries: &[E]) -> (Place, Vec<String>) {
    let (done, result) = mpsc::channel();
    let image = archive(entries);
    std::thread::spawn(move || {
        let place = Place::new();
        let (reports, result) = place.extract(&image[..]);
        done.send((place, reports, result.map_err(|error| error.to_string())))
    });
    let (place, reports, result) = result
        .recv_timeout(Duration::from_secs(20))
        .expect("extracting ends");
    result.unwrap();
    (place, reports)
}

/// Writing to a device or a FIFO could have effects, or block for ever.
#[test]
fn a_name_of_what_is_no_file_by_now_is_not_written_to() {
    let lost = |what| {
        [format!(
            "/b: is a hard link of /a, which is a {what} by now, and is not extracted"
        )]
    };
    let full = (1, 7);
    for (what, special) in [
        ("FIFO", e("a", FIFO | 0o644, "")),
        ("socket", e("a", SOCKET | 0o644, "")),
        ("character device", device("a", CHAR | 0o666, full)),
        ("block device", device("a", BLOCK | 0o666, full)),
    ] {
        let is_device = special.rdev == full;
        if is_device && !may_make_devices() {
            eprintln!("skipped: nobody can make devices here");
            continue;
        }
        // A file is a hard link of what was a file,
        let (place, reports) = reports_in_time(&[
            name("a", 7, 2, ""),
            special.clone(),
            name("b", 7, 2, "data"),
            file("last", ""),
        ]);
        assert_eq!(reports, lost(what));
        assert!(place.inside().contains_key("last"));
        // and a device or a FIFO of what was one.
        let names = |path: &str| E {
            path: path.into(),
            ino: 7,
            nlink: 2,
            ..special.clone()
        };
        let (place, reports) = reports_in_time(&[names("a"), file("a", "A"), names("b")]);
        assert_eq!(reports, lost("file"));
        assert_eq!(place.inside(), found(&[("a", "0644 file A")]));
    }
}

/// Linux makes the link and writes the file again.
#[test]
fn a_name_of_a_file_that_was_made_again_is_a_name_of_that() {
    let place = Place::new();
    let reports = place.reports(&[
        name("a", 7, 2, "A"),
        symlink("a", "nowhere"),
        file("a", "longer"),
        name("b", 7, 2, "B"),
    ]);
    assert_eq!(reports, [""; 0]);
    let expected = found(&[("a", "0644 file B"), ("b", "0644 file B")]);
    assert_eq!(place.inside(), expected);
}

/// An action of another process between the entries `before` and `after`, and the expected result.
struct Case {
    what: &'static str,
    before: Vec<E>,
    act: fn(&Path),
    after: Vec<E>,
    reports: Vec<String>,
    inside: Vec<(&'static str, &'static str)>,
}

fn foreign(entry: &str, path: &str) -> String {
    format!(
        "{entry}: another process has changed {path} in the directory; let no other process write to the \
         directory"
    )
}

/// The extraction changes only files that it has made.
#[test]
fn what_another_process_puts_there_is_left_alone() {
    let open = |mode: u32, entry: E| E {
        mode: (entry.mode & !0o7777) | mode,
        mtime: 1,
        ..entry
    };
    for case in [
        Case {
            what: "a hard link to a file elsewhere, whose name gets a hard link",
            before: vec![name("a", 7, 2, "A")],
            act: |place| link("outside/victim", "inside/a", place),
            after: vec![open(0o777, name("b", 7, 2, "evil"))],
            reports: vec![foreign("/b", "/a")],
            inside: vec![("a", "0644 file precious")],
        },
        Case {
            what: "a hard link to a file elsewhere, that another archive overrides",
            before: vec![file("a", "A")],
            act: |place| link("outside/victim", "inside/a", place),
            after: vec![open(0o777, file("a", "evil"))],
            reports: vec![foreign("/a", "/a")],
            inside: vec![("a", "0644 file precious")],
        },
        Case {
            what: "a hard link to a FIFO elsewhere",
            before: vec![e("p", FIFO | 0o600, "")],
            act: |place| link("outside/fifo", "inside/p", place),
            after: vec![open(0o777, e("p", FIFO, ""))],
            reports: vec![foreign("/p", "/p")],
            inside: vec![("p", "0600 fifo")],
        },
        Case {
            what: "a FIFO",
            before: vec![file("a", "A"), name("b", 7, 2, "B")],
            act: |place| {
                for name in ["inside/a", "inside/b"] {
                    fs::remove_file(place.join(name)).unwrap();
                    make_fifo(&place.join(name));
                }
            },
            after: vec![file("a", "more"), name("c", 7, 2, "more")],
            reports: vec![foreign("/a", "/a"), foreign("/c", "/b")],
            inside: vec![("a", "0600 fifo"), ("b", "0600 fifo")],
        },
        Case {
            what: "a symbolic link",
            before: vec![file("a", "A"), dir("d"), name("b", 7, 2, "B")],
            act: |place| {
                fs::remove_file(place.join("inside/a")).unwrap();
                fs::remove_file(place.join("inside/b")).unwrap();
                fs::remove_dir(place.join("inside/d")).unwrap();
                make_symlink("../outside/victim", place.join("inside/a")).unwrap();
                make_symlink("../outside/victim", place.join("inside/b")).unwrap();
                make_symlink("../outside", place.join("inside/d")).unwrap();
            },
            after: vec![
                file("a", "evil"),
                name("c", 7, 2, "evil"),
                file("d/victim", "evil"),
                open(0o777, dir("d")),
            ],
            reports: vec![
                foreign("/a", "/a"),
                foreign("/c", "/b"),
                foreign("/d/victim", "/d"),
                foreign("/d", "/d"),
                foreign("/d", "/d"),
            ],
            inside: vec![
                ("a", "-> ../outside/victim"),
                ("b", "-> ../outside/victim"),
                ("d", "-> ../outside"),
            ],
        },
        Case {
            what: "a directory from elsewhere",
            before: vec![dir("e"), open(0o700, dir("d")), file("d/f", "")],
            act: |place| {
                fs::rename(place.join("inside/d"), place.join("away")).unwrap();
                fs::rename(place.join("outside"), place.join("inside/d")).unwrap();
            },
            after: vec![
                // The extracted file is still known.
                file("e/f", ""),
                file("d/victim", "evil"),
                dir("d/new"),
            ],
            reports: vec![
                foreign("/d/victim", "/d"),
                foreign("/d/new", "/d"),
                foreign("/d", "/d"),
            ],
            inside: vec![
                ("d", "0755 dir"),
                ("d/fifo", "0600 fifo"),
                ("d/victim", "0644 file precious"),
                ("e", "0755 dir"),
                ("e/f", "0644 file "),
            ],
        },
        Case {
            what: "things that are in the way",
            before: vec![file("a", "")],
            act: |place| {
                for name in ["b", "c", "d"] {
                    fs::write(place.join("inside").join(name), "theirs").unwrap();
                }
            },
            after: vec![
                file("b", "evil"),
                symlink("c", "x"),
                dir("d"),
                file("d/f", ""),
            ],
            reports: vec![
                foreign("/b", "/b"),
                foreign("/c", "/c"),
                foreign("/d", "/d"),
                foreign("/d/f", "/d"),
            ],
            inside: vec![
                ("a", "0644 file "),
                ("b", "0644 file theirs"),
                ("c", "0644 file theirs"),
                ("d", "0644 file theirs"),
            ],
        },
        Case {
            what: "nothing",
            before: vec![file("a", "A"), name("b", 7, 2, "B"), dir("d"), dir("e")],
            act: |place| {
                fs::remove_file(place.join("inside/a")).unwrap();
                fs::remove_file(place.join("inside/b")).unwrap();
                fs::remove_dir(place.join("inside/d")).unwrap();
            },
            after: vec![file("a", "C"), name("c", 7, 2, ""), file("e/f", "")],
            reports: vec![
                "/c: Linux drops it: it is a hard link of /b, which is not there".into(),
                "/d: is not there any more".into(),
            ],
            inside: vec![
                ("a", "0644 file C"),
                ("e", "0755 dir"),
                ("e/f", "0644 file "),
            ],
        },
    ] {
        let Case { what, .. } = case;
        let place = Place::new();
        make_fifo(&place.path("outside/fifo"));
        let mut before = None;
        let outside = || {
            // Its path by now.
            let paths = ["outside", "inside/d"].map(|path| place.path(path));
            let outside = paths.iter().find(|path| path.join("victim").exists());
            ["", "victim", "fifo"].map(|name| {
                let metadata = fs::metadata(outside.unwrap().join(name)).unwrap();
                (
                    metadata.mode(),
                    metadata.uid(),
                    metadata.ctime(),
                    metadata.ctime_nsec(),
                )
            })
        };
        let act = || {
            (case.act)(place.0.path());
            before = Some(outside());
        };
        let first: Vec<u8> = case.before.iter().flat_map(E::bytes).collect();
        let second = archive(&case.after);
        let image = (&first[..]).chain(meanwhile(act)).chain(&second[..]);
        let (reports, result) = place.extract(image);
        result.unwrap();
        assert_eq!(reports, case.reports, "{what}");
        assert_eq!(before, Some(outside()), "{what}");
        assert_eq!(place.inside(), found(&case.inside), "{what}");
    }
}

fn link(from: &str, to: &str, place: &Path) {
    fs::remove_file(place.join(to)).unwrap();
    fs::hard_link(place.join(from), place.join(to)).unwrap();
}

/// No other user can open a file that may become a program with set-user-ID.
#[test]
fn nobody_else_enters_while_root_extracts() {
    if !is_root() {
        eprintln!("skipped: this is not run by root");
        return;
    }
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
    for (before, root, during, after) in [
        (0o1777, vec![], 0o1700, 0o1777),
        (
            0o755,
            vec![E {
                mode: DIR | 0o2711,
                ..dir("/")
            }],
            0o700,
            0o2711,
        ),
    ] {
        let place = Place::new();
        let inside = place.path("inside");
        fs::create_dir(&inside).unwrap();
        fs::set_permissions(&inside, Permissions::from_mode(before)).unwrap();
        let entries = [root, vec![file("a", "")]].concat();
        let mut seen = 0;
        let image = archive(&entries);
        let image = (&image[..]).chain(meanwhile(|| seen = mode(&inside)));
        let (reports, result) = place.extract(image);
        result.unwrap();
        assert_eq!(reports, [""; 0]);
        assert_eq!((seen, mode(&inside)), (during, after));
    }
}

/// All names of a file have the mode and the owner of the last name, including set-user-ID.
#[test]
fn set_user_id_is_what_the_last_name_says() {
    if !is_root() {
        eprintln!("skipped: this is not run by root");
        return;
    }
    let with = |uid, mode, entry: E| E {
        uid,
        mode: FILE | mode,
        ..entry
    };
    for (first, second) in [((0, 0o4755), (1000, 0o644)), ((1000, 0o666), (0, 0o6755))] {
        let (uid, mode) = second;
        // Under another name, and under the same in another archive.
        for (path, links, contents) in [("b", 2, "B"), ("b", 2, ""), ("a", 1, "B")] {
            let place = Place::new();
            let images = [
                archive(&[with(first.0, first.1, name("a", 7, links, "A"))]),
                archive(&[with(uid, mode, name(path, 7, links, contents))]),
            ];
            // The same archive, if it is a hard link.
            let image = match links {
                1 => images.concat(),
                _ => [&images[0][..images[0].len() - trailer()], &images[1]].concat(),
            };
            let (reports, result) = place.extract(&image[..]);
            result.unwrap();
            assert_eq!(reports, [""; 0]);
            let metadata = fs::metadata(place.path("inside/a")).unwrap();
            assert_eq!((metadata.uid(), metadata.mode() & 0o7777), second);
        }
    }

    // An incomplete file has neither.
    let place = Place::new();
    let mut image = archive(&[
        with(0, 0o4755, name("a", 7, 2, "A")),
        with(0, 0o4755, name("b", 7, 2, "0123")),
    ]);
    let end = image.windows(4).position(|bytes| bytes == b"0123").unwrap();
    image.truncate(end + 2);
    place.extract(&image[..]).1.unwrap_err();
    let expected = found(&[("a", "0600 file 01"), ("b", "0600 file 01")]);
    assert_eq!(place.inside(), expected);
}

fn trailer() -> usize {
    archive(&[]).len()
}
