//! `create --owner`, `--keep-owner`, `--keep-times` and `--verbose`; `extract --strip-components` and `--verbose`; the
//! exit codes of `diff`.

mod images;

use images::*;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};
use tempfile::TempDir;

struct Place(TempDir);

impl Place {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The exit code, stdout and stderr.
    fn packer(&self, arguments: &str, epoch: Option<&str>) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_packer"));
        command
            .args(arguments.split(' '))
            .current_dir(&self.0)
            .env_remove("SOURCE_DATE_EPOCH");
        if let Some(epoch) = epoch {
            command.env("SOURCE_DATE_EPOCH", epoch);
        }
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    fn succeeds(&self, arguments: &str) -> String {
        let (code, out, error) = self.packer(arguments, None);
        assert_eq!((code, &error[..]), (Some(0), ""), "{arguments}");
        out
    }
}

/// A directory with a tree: `d`, `d/f` and a second name of it, `d/g`.
fn place() -> Place {
    let place = Place(TempDir::new().unwrap());
    fs::create_dir_all(place.path("tree/d")).unwrap();
    fs::write(place.path("tree/d/f"), "text").unwrap();
    fs::hard_link(place.path("tree/d/f"), place.path("tree/d/g")).unwrap();
    let time = UNIX_EPOCH + Duration::from_millis(1_500_000_000_750);
    for name in ["tree/d/f", "tree/d", "tree"] {
        File::open(place.path(name))
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
    place
}

/// `UID:GID TIME PATH` of each entry.
fn owners(place: &Place, image: &str) -> String {
    let lines = place.succeeds(&format!("list {image}"));
    let lines = lines.lines().map(|line| {
        let fields: Vec<_> = line.split(' ').collect();
        format!("{} {} {}\n", fields[1], fields[3], fields[4])
    });
    lines.collect()
}

#[test]
fn times_are_kept() {
    let place = place();
    place.succeeds("create kept --tree tree --file /new=tree/d/f --keep-times");
    assert_eq!(
        owners(&place, "kept"),
        "0:0 1500000000 /\n0:0 1500000000 /d\n0:0 1500000000 /d/f\n0:0 1500000000 /d/g\n0:0 0 /new\n"
    );
    let (code, _, error) =
        place.packer("create older --tree tree --keep-times", Some("1400000000"));
    assert_eq!((code, &error[..]), (Some(0), ""));
    assert!(owners(&place, "older").contains("0:0 1400000000 /d/f\n"));

    let early = UNIX_EPOCH - Duration::from_secs(5);
    File::open(place.path("tree/d"))
        .unwrap()
        .set_modified(early)
        .unwrap();
    let (code, _, error) = place.packer("create early --tree tree --keep-times", None);
    assert_eq!(code, Some(1));
    assert!(
        error.starts_with("tree/d: has the time -5, and newc"),
        "{error}"
    );
    place.succeeds("create early --tree tree");
}

#[test]
fn owners_are_kept_or_given() {
    use std::os::unix::fs::MetadataExt;
    let place = place();
    let metadata = fs::metadata(place.path("tree/d/f")).unwrap();
    let is_root = metadata.uid() == 0;
    if is_root {
        std::os::unix::fs::chown(place.path("tree/d/f"), Some(1234), Some(5678)).unwrap();
    }
    let (uid, gid) = match is_root {
        true => (1234, 5678),
        false => (metadata.uid(), metadata.gid()),
    };
    place.succeeds("create kept --tree tree --keep-owner --file /new=tree/d/f");
    let found = owners(&place, "kept");
    assert!(found.contains(&format!("{uid}:{gid} 0 /d/g\n")), "{found}");
    assert!(found.ends_with("0:0 0 /new\n"), "{found}");

    fs::write(
        place.path("list"),
        "dir /roots 0755 0 0\ndir /others 0755 1 2\n",
    )
    .unwrap();
    place.succeeds("create given --tree tree --list list --owner 7:8");
    assert_eq!(
        owners(&place, "given"),
        "7:8 0 /\n7:8 0 /d\n7:8 0 /d/f\n7:8 0 /d/g\n1:2 0 /others\n7:8 0 /roots\n"
    );
    for (argument, expected) in [
        ("7", "7: is not UID:GID, two numbers"),
        (
            "me:8",
            "me:8: `me` is not a user number from 0 to 4294967294",
        ),
        (
            "7:4294967295",
            "7:4294967295: `4294967295` is not a group number",
        ),
    ] {
        let (code, _, error) =
            place.packer(&format!("create no --tree tree --owner {argument}"), None);
        assert_eq!(code, Some(2));
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn paths_are_printed() {
    let place = place();
    let (code, out, error) = place.packer("create - -v --tree tree --compress none", None);
    assert_eq!((code, &error[..]), (Some(0), "/\n/d\n/d/f\n/d/g\n"));
    assert!(out.starts_with("070701"), "stdout has the image only");
}

#[test]
fn names_at_the_start_are_left_out() {
    let place = place();
    let image = archive(&[
        dir("usr"),
        dir("usr/lib"),
        name("usr/one", 7, 3, ""),
        name("two", 7, 3, "text"),
        name("usr/lib/three", 7, 3, ""),
        symlink("usr/lib/l", "../one"),
        file("usr/lib/f", "f"),
    ]);
    fs::write(place.path("image"), &image).unwrap();
    let (code, out, error) = place.packer("extract image out -v --strip-components 1", None);
    assert_eq!((code, &out[..]), (Some(0), ""));
    assert_eq!(error, "/lib\n/one\n/lib/three\n/lib/l\n/lib/f\n");
    let read = |path: &str| fs::read_to_string(place.path(path)).unwrap();
    // The contents were with a name of which nothing is left.
    assert_eq!(read("out/one"), "text");
    assert_eq!(read("out/lib/three"), "text");
    assert_eq!(read("out/lib/f"), "f");
    let target = fs::read_link(place.path("out/lib/l")).unwrap();
    assert_eq!(target, PathBuf::from("../one"));
    assert!(!place.path("out/two").exists() && !place.path("out/usr").exists());

    // A pattern matches the whole path.
    place.succeeds("extract image part --strip-components 2 usr/lib/three");
    assert_eq!(read("part/three"), "text");
    assert_eq!(fs::read_dir(place.path("part")).unwrap().count(), 1);
    let (code, _, error) = place.packer("extract image none --strip-components 2 lib/three", None);
    assert_eq!(code, Some(1));
    assert!(error.contains("lib/three"), "{error}");

    place.succeeds("extract image nothing --strip-components 9");
    assert_eq!(fs::read_dir(place.path("nothing")).unwrap().count(), 0);
}

/// What is within the limits is extracted, and the image may have as much as they say.
#[test]
fn limits() {
    let place = place();
    let image = gzip(&archive(&[
        dir("d"),
        file("d/f", "four"),
        file("d/large", vec![0; 1 << 20]),
        file("d/g", ""),
    ]));
    fs::write(place.path("image"), image).unwrap();
    for (number, options, expected) in [
        (
            0,
            "--max-entries 2",
            "image: byte 232 of the gzip member at byte 0: /d/large: with it, the image has 3 entries, and 2 are allowed",
        ),
        (
            1,
            "--max-size 1048579",
            "image: byte 232 of the gzip member at byte 0: /d/large: with it, the image has 1048580 bytes of contents, and 1048579 are",
        ),
        (
            2,
            "--max-size 3",
            "image: byte 112 of the gzip member at byte 0: /d/f: with it, the image has 4 bytes of contents, and 3 are allowed",
        ),
    ] {
        let (code, _, error) = place.packer(&format!("extract image out{number} {options}"), None);
        assert_eq!(code, Some(1));
        assert!(error.contains(expected), "{error}");
        let has = |name: &str| place.path(&format!("out{number}/d/{name}")).exists();
        assert_eq!((has("f"), has("large")), (number != 2, false));
    }
    place.succeeds("extract image out --max-entries 4 --max-size 1048580");
}

/// As diff(1): 0 for the same, 1 for others, 2 for trouble.
#[test]
fn diff_has_the_exit_codes_of_diff() {
    let place = place();
    place.succeeds("create a --tree tree");
    place.succeeds("create b --dir /d");
    fs::write(
        place.path("broken"),
        &fs::read(place.path("a")).unwrap()[..60],
    )
    .unwrap();
    for (arguments, expected) in [
        ("diff a a", 0),
        ("diff a b", 1),
        ("diff a nothing", 2),
        ("diff nothing a", 2),
        ("diff a broken", 2),
        ("diff a tree", 2),
        ("diff a", 2),
        ("diff a b --no-such-option", 2),
    ] {
        let (code, out, error) = place.packer(arguments, None);
        assert_eq!(code, Some(expected), "{arguments}: {error}");
        assert_eq!(out.is_empty(), expected != 1, "{arguments}: {out}");
        assert_eq!(error.is_empty(), expected != 2, "{arguments}: {error}");
    }
}
