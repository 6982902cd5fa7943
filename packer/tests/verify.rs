//! `packer verify`: everything that Linux does not unpack as it is in the image.

mod images;

use images::*;
use packer::Manifest;
use packer::verify::{Report, verify};
use std::fs;
use std::process::{Command, Output};
use tempfile::TempDir;

fn problems(image: &[u8]) -> Vec<String> {
    verify(image, None).unwrap().problems
}

#[test]
fn nothing_is_wrong_with_what_linux_unpacks() {
    let early = archive(&[dir("kernel"), file("kernel/ucode.bin", "12345")]);
    let main = archive(&[
        dir("."),
        dir("usr"),
        E {
            mode: DIR | 0o1777,
            ..dir("usr/lib")
        },
        symlink("lib", "usr/lib"),
        // Through a symbolic link, absolute or not, and more than one.
        file("lib/a", "A"),
        symlink("usr/abs", "/lib"),
        dir("usr/abs/b"),
        symlink("dangling", "nowhere"),
        name("one", 5, 3, ""),
        name("two", 5, 3, "ABC"),
        name("three", 5, 3, "ABC"),
        // The same numbers, but a device.
        E {
            ino: 5,
            nlink: 2,
            ..device("c", CHAR | 0o600, (4095, 1048575))
        },
        device("b", BLOCK | 0o600, (8, 0)),
        e("p", FIFO | 0o600, ""),
        e("s", SOCKET | 0o755, ""),
        file("n".repeat(255), ""),
        symlink("t", "t".repeat(4095)),
        // Twice the same type.
        dir("usr"),
        file("lib/a", "another A"),
    ]);
    // A later archive may replace anything.
    let third = archive(&[
        dir("dangling"),
        file("dangling/x", ""),
        file("t", ""),
        symlink("three", "b"),
    ]);
    let image = [early, gzip(&main), gzip(&third)].concat();
    let report = verify(&image[..], None).unwrap();
    let expected = Report {
        problems: vec![],
        findings: vec![],
        entries: 25,
        archives: 3,
        size: image.len() as u64,
    };
    assert_eq!(report, expected);
}

#[test]
fn every_problem_has_a_line() {
    let long = "x".repeat(5000);
    for (what, entries, expected) in [
        (
            "no parent",
            vec![file("a/b", "")],
            vec!["/a/b: Linux drops it: /a is not there"],
        ),
        (
            "a parent that comes later",
            vec![file("a/b", ""), dir("a")],
            vec!["/a/b: Linux drops it: /a is not there"],
        ),
        (
            "no parent of a parent",
            vec![dir("a"), dir("a/b/c")],
            vec!["/a/b/c: Linux drops it: /a/b is not there"],
        ),
        (
            "a parent that is a file",
            vec![file("a", ""), file("a/b", "")],
            vec!["/a/b: Linux drops it: /a is not a directory"],
        ),
        (
            "a parent that is a symbolic link to a file",
            vec![file("f", ""), symlink("a", "f"), file("a/b", "")],
            vec!["/a/b: Linux drops it: /a is a symbolic link that does not lead to a directory"],
        ),
        (
            "a parent that is a symbolic link to itself",
            vec![symlink("a", "a"), file("a/b", "")],
            vec!["/a/b: Linux drops it: /a is a symbolic link that does not lead to a directory"],
        ),
        (
            "..",
            vec![dir("a"), file("a/../b", "")],
            vec!["/a/../b: its path contains `..`"],
        ),
        (
            "a long path",
            vec![file(&long, "")],
            vec![
                "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: \
                 Linux skips it: its path is not 1 to 4095 bytes long",
            ],
        ),
        (
            "no path",
            vec![file("", "")],
            vec!["\"\": Linux skips it: its path is not 1 to 4095 bytes long"],
        ),
        (
            "a long target",
            vec![symlink("l", &long)],
            vec!["/l: Linux skips it: its target is longer than 4095 bytes"],
        ),
        (
            "a target that is one byte too long",
            vec![symlink("l", &long[..4096])],
            vec!["/l: its target is longer than 4095 bytes"],
        ),
        (
            "no target",
            vec![symlink("l", "")],
            vec!["/l: is a symbolic link without a target"],
        ),
        (
            "a directory with contents",
            vec![e("d", DIR, "x")],
            vec!["/d: Linux skips it: it has contents, but is not a file"],
        ),
        (
            "no type",
            vec![e("x", 0o644, "")],
            vec!["/x: Linux skips it: its mode has an unknown file type"],
        ),
        (
            "a file with the path of a directory",
            vec![file("x/", "")],
            vec!["/x: Linux skips it: its path is that of a directory, but it is not a directory"],
        ),
        (
            "more mode than there is",
            vec![E {
                mode: 0o1100644,
                ..file("x", "")
            }],
            vec!["/x: its mode 0o1100644 is cut off to 16 bits"],
        ),
        (
            "nobody's",
            vec![E {
                uid: u32::MAX,
                gid: u32::MAX,
                ..file("x", "")
            }],
            vec![
                "/x: belongs to root: 4294967295 is not a user",
                "/x: belongs to root: 4294967295 is not a group",
            ],
        ),
        (
            "a device number that is too large",
            vec![
                device("x", CHAR, (4097, 1)),
                device("y", BLOCK, (1, 1048577)),
            ],
            vec![
                "/x: is the device 1:1, because 4097:1 is too large",
                "/y: is the device 1:1, because 1:1048577 is too large",
            ],
        ),
        (
            "two types at one path",
            vec![file("x", ""), symlink("x", "y"), dir("d"), file("d", "")],
            vec![
                "/x: replaces the file that is there from the same archive",
                "/d: replaces the directory that is there from the same archive",
            ],
        ),
        (
            "in the place of a directory that is in use",
            vec![
                dir("d"),
                dir("d/e"),
                file("d", ""),
                symlink("d", "e"),
                name("f", 1, 2, ""),
                name("d", 1, 2, ""),
            ],
            vec!["/d: Linux drops it: there is a directory that is not empty"; 3],
        ),
        (
            "two devices at one path",
            vec![device("x", CHAR, (5, 1)), device("x", CHAR, (5, 2))],
            vec!["/x: stays the device 5:1 that is there already"],
        ),
        (
            "a hard link of something that is not there",
            vec![name("d/a", 1, 2, ""), name("b", 1, 2, "")],
            vec![
                "/d/a: Linux drops it: /d is not there",
                "/b: Linux drops it: it is a hard link of /d/a, which is not there",
            ],
        ),
        (
            "a hard link of itself",
            vec![name("a", 1, 2, ""), name("a", 1, 2, "")],
            vec!["/a: Linux drops it: it is a hard link of /a, which is not there"],
        ),
        (
            "a hard link of what is no file any more",
            vec![name("a", 1, 2, ""), symlink("a", "x"), name("b", 1, 2, "")],
            vec![
                "/a: replaces the file that is there from the same archive",
                "/b: is a hard link of /a, which is a symbolic link by now, and Linux opens that",
            ],
        ),
        (
            "a hard link of what is a directory by now",
            vec![name("a", 1, 2, ""), dir("a"), name("b", 1, 2, "")],
            vec![
                "/a: replaces the file that is there from the same archive",
                "/b: Linux drops it: it is a hard link of /a, which is a directory by now",
            ],
        ),
        (
            "hard links of a device that disagree",
            vec![
                E {
                    ino: 1,
                    nlink: 2,
                    ..device("a", CHAR | 0o600, (5, 1))
                },
                E {
                    ino: 1,
                    nlink: 2,
                    ..device("b", CHAR | 0o600, (5, 2))
                },
                E {
                    ino: 1,
                    nlink: 2,
                    ..device("c", CHAR | 0o620, (5, 1))
                },
            ],
            vec![
                "/b: is not the same as /a, of which it is a hard link: the first one counts",
                "/c: is not the same as /a, of which it is a hard link: the first one counts",
            ],
        ),
        (
            "hard links that disagree",
            vec![
                name("a", 1, 3, "A"),
                E {
                    mtime: 1,
                    ..name("b", 1, 3, "")
                },
                name("c", 1, 3, "C"),
            ],
            vec![
                "/b: has another mode, owner or mtime than /a, of which it is a hard link: the last one counts",
                "/c: has other contents than /a, of which it is a hard link: the last ones count",
            ],
        ),
        (
            "a name that is too long",
            vec![file(&long[..256], "")],
            vec![
                "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
                 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
                 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: \
                 Linux drops it: its name is longer than 255 bytes",
            ],
        ),
    ] {
        assert_eq!(problems(&archive(&entries)), expected, "{what}");
    }
}

/// The early loader looks for the whole path in what is not compressed, and needs no directories.
#[test]
fn early_files_need_no_directories() {
    let main = gzip(&archive(&[file("init", "#!")]));
    let with = |entries: &[E]| problems(&[archive(entries), main.clone()].concat());
    let found = with(&[
        file("kernel/x86/microcode/GenuineIntel.bin", "intel"),
        file("kernel/x86/microcode/AuthenticAMD.bin", "amd"),
        file("kernel/firmware/acpi/dsdt.aml", "acpi"),
    ]);
    assert_eq!(found, [""; 0]);
    // The kernel finds these neither early nor later.
    let lost = "Linux drops it: /kernel is not there";
    let found = with(&[
        file("kernel/x86/microcode/genuineintel.bin", ""),
        file("./kernel/x86/microcode/GenuineIntel.bin", ""),
        symlink("kernel/firmware/acpi/link", "x"),
    ]);
    let expected = [
        format!("/kernel/x86/microcode/genuineintel.bin: {lost}"),
        format!("/kernel/x86/microcode/GenuineIntel.bin: {lost}"),
        format!("/kernel/firmware/acpi/link: {lost}"),
    ];
    assert_eq!(found, expected);
    // Neither in a compressed member, nor after one.
    let intel = archive(&[file("kernel/x86/microcode/GenuineIntel.bin", "intel")]);
    let expected = format!("/kernel/x86/microcode/GenuineIntel.bin: {lost}");
    assert_eq!(problems(&gzip(&intel)), [&expected[..]]);
    let mut late = main.clone();
    pad(&mut late, 4);
    late.extend(intel);
    assert_eq!(problems(&late), [&expected[..]]);
}

#[test]
fn a_file_whose_contents_may_be_missing() {
    let lost = |path, claimed, count| {
        format!(
            "{path}: is empty, and the archive has only {count} of its {claimed} names: the contents may be \
             missing with the other names"
        )
    };
    let found = problems(&archive(&[
        dir("lib"),
        name("lib/libz.so", 2, 2, ""),
        name("b", 4, 3, ""),
        name("a", 5, 3, ""),
        name("c", 5, 2, ""),
        // Only one of the names was packed, with the contents.
        name("lib/libz.so.1", 3, 2, "ELF!"),
        // All names are there, and the file is empty.
        name("d", 6, 2, ""),
        name("e", 6, 2, ""),
        // A device has no contents.
        E {
            nlink: 2,
            ..device("f", CHAR, (5, 1))
        },
    ]));
    assert_eq!(
        found,
        [
            lost("/a", 3, 2),
            lost("/b", 3, 1),
            lost("/lib/libz.so", 2, 1)
        ]
    );
    // In the next archive, the numbers mean other files.
    let split = [
        archive(&[name("a", 1, 2, "")]),
        archive(&[name("b", 1, 2, "B")]),
    ]
    .concat();
    assert_eq!(problems(&split), [lost("/a", 2, 1)]);
}

#[test]
fn broken_images() {
    let a = archive(&[file("a", "A")]);
    let mut wrong_sum = file("a", "A");
    wrong_sum.magic = "070702";
    for (what, image, expected) in [
        ("empty", vec![], "the file is empty"),
        ("only NULs", vec![0; 512], "byte 512: expected an archive"),
        (
            "no trailer",
            file("a", "A").bytes(),
            "byte 116: expected the next entry or the trailer",
        ),
        (
            "junk",
            [&a[..], b"junk"].concat(),
            "byte 240: expected an archive",
        ),
        (
            "cut off",
            a[..113].to_vec(),
            "byte 0: the entry that begins here is cut off",
        ),
        (
            "a wrong checksum",
            archive(&[wrong_sum]),
            "byte 0: a: its bytes sum up to",
        ),
    ] {
        let problems = problems(&image);
        assert_eq!(problems.len(), 1, "{what}: {problems:?}");
        assert!(problems[0].starts_with(expected), "{what}: {problems:?}");
    }
    // The problems before the damage are reported, too.
    let image = [file("d/a", "A").bytes(), b"0junk".to_vec()].concat();
    let problems = problems(&image);
    assert_eq!(problems.len(), 2);
    assert_eq!(problems[0], "/d/a: Linux drops it: /d is not there");
}

/// With a chain of symbolic links, each entry can be deeper than any path can.
#[test]
fn paths_that_only_symbolic_links_make_long() {
    let mut entries = vec![dir("0"), symlink("l0", "0")];
    for number in 0..200 {
        let deeper = format!("l{number}/{}", "d".repeat(250));
        entries.push(dir(&deeper));
        entries.push(symlink(format!("l{}", number + 1), &deeper));
    }
    let problems = problems(&archive(&entries));
    assert!(
        problems
            .iter()
            .any(|problem| problem.ends_with("its real path is longer than 4095 bytes"))
    );
}

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.path().join(name), bytes).unwrap();
    }

    fn verify(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_packer"));
        let command = command.arg("verify").args(arguments).current_dir(&self.0);
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    }
}

#[test]
fn what_is_printed() {
    let files = Files::new();
    files.write("one", &archive(&[dir("a")]));
    let ok = "one: ok, 1 entry in 1 archive, 236 bytes\n";
    assert_eq!(files.verify(&["one"]), (Some(0), ok.into(), String::new()));
    files.write("two", &archive(&[dir("a"), dir("b")]).repeat(2));
    let ok = "two: ok, 4 entries in 2 archives, 696 bytes\n";
    assert_eq!(files.verify(&["two"]), (Some(0), ok.into(), String::new()));
    files.write("bad\n", &archive(&[dir("a/b"), dir("a\n/c")]));
    let bad = "bad\\x0a: /a/b: Linux drops it: /a is not there\n\
               bad\\x0a: /a\\x0a/c: Linux drops it: /a\\x0a is not there\n";
    assert_eq!(
        files.verify(&["bad\n"]),
        (Some(1), String::new(), bad.into())
    );
    let nowhere = "nowhere: No such file or directory (os error 2)\n";
    assert_eq!(
        files.verify(&["nowhere"]),
        (Some(1), String::new(), nowhere.into())
    );
}

#[test]
fn an_image_is_the_one_of_its_manifest() {
    let files = Files::new();
    let image = archive(&[dir("a"), file("a/f", "A")]);
    let mut json = Vec::new();
    Manifest::of_image(&image[..])
        .unwrap()
        .write(&mut json)
        .unwrap();
    files.write("manifest", &json);
    files.write("same", &image);
    assert_eq!(files.verify(&["same", "--manifest", "manifest"]).0, Some(0));

    files.write("other", &archive(&[dir("a"), file("a/f", "BC"), dir("b")]));
    let other = "other: /a/f: size 1 -> 2, contents differ\nother: /b: only in the image\n";
    assert_eq!(
        files.verify(&["other", "--manifest", "manifest"]),
        (Some(1), String::new(), other.into())
    );

    files.write("compressed", &gzip(&image));
    let compressed = "compressed: archive 0: compression none -> gzip\n";
    let found = files.verify(&["compressed", "--manifest", "manifest"]);
    assert_eq!(found, (Some(1), String::new(), compressed.into()));

    files.write(
        "version",
        &String::from_utf8(json)
            .unwrap()
            .replacen("1", "2", 1)
            .into_bytes(),
    );
    let (code, _, stderr) = files.verify(&["same", "--manifest", "version"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        stderr,
        "version: is a manifest of version 2, not 1; make it again with this packer\n"
    );
}
