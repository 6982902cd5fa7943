//! Images that try to lead out of the directory.

use super::*;

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
