//! Archives in formats older than newc: told by name, and converted.

mod images;

use images::*;
use packer::convert::{OldFormat, convert};
use packer::verify::verify;
use packer::{Error, Manifest};
use std::fs;
use std::process::Command;
use tempfile::TempDir;

const FORMATS: [OldFormat; 3] = [
    OldFormat::BinaryLittleEndian,
    OldFormat::BinaryBigEndian,
    OldFormat::Odc,
];

/// An entry as `format` has it.
fn old(entry: &E, format: OldFormat) -> Vec<u8> {
    let E {
        ino,
        mode,
        uid,
        gid,
        nlink,
        mtime,
        filesize,
        rdev: (major, minor),
        namesize,
        ..
    } = *entry;
    let fields = [0, ino, mode, uid, gid, nlink, (major << 8) | minor];
    let mut bytes = Vec::new();
    let align = match format {
        OldFormat::Odc => {
            bytes.extend(b"070707");
            for field in fields {
                bytes.extend(format!("{field:06o}").bytes());
            }
            bytes.extend(format!("{mtime:011o}{namesize:06o}{filesize:011o}").bytes());
            1
        }
        format => {
            let halves = [mtime >> 16, mtime, namesize, filesize >> 16, filesize];
            for field in [0o070707].into_iter().chain(fields).chain(halves) {
                bytes.extend(match format {
                    OldFormat::BinaryBigEndian => (field as u16).to_be_bytes(),
                    _ => (field as u16).to_le_bytes(),
                });
            }
            2
        }
    };
    bytes.extend(&entry.path);
    bytes.push(0);
    pad(&mut bytes, align);
    bytes.extend(&entry.contents);
    pad(&mut bytes, align);
    bytes
}

fn old_archive(entries: &[E], format: OldFormat) -> Vec<u8> {
    let trailer = e("TRAILER!!!", 0, "");
    let entries = entries.iter().chain([&trailer]);
    let mut bytes: Vec<u8> = entries.flat_map(|entry| old(entry, format)).collect();
    pad(&mut bytes, 512);
    bytes
}

fn entries() -> Vec<E> {
    vec![
        E {
            uid: 1000,
            gid: 100,
            mtime: 1_234_567_890,
            ..dir("d")
        },
        file("d/odd", "odd"),
        file("d/large", vec![b'x'; 70_001]),
        symlink("d/l", "odd"),
        device("d/c", CHAR | 0o600, (5, 1)),
        e("d/p", FIFO | 0o600, ""),
        name("d/one", 7, 2, "two names"),
        name("d/two", 7, 2, "two names"),
    ]
}

fn converted(archive: &[u8]) -> Result<Vec<u8>, String> {
    match convert(archive, Vec::new()) {
        Ok((_, image)) => Ok(image),
        Err(Error::Input(error)) => Err(error.to_string()),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_entries_are_the_same() {
    let expected = Manifest::of_image(&archive(&entries())[..]).unwrap();
    for format in FORMATS {
        let plain = old_archive(&entries(), format);
        for packed in [plain.clone(), gzip(&plain), compress("bzip2", &plain)] {
            let (found, image) = convert(&packed[..], Vec::new()).unwrap();
            assert_eq!(found, format);
            let manifest = Manifest::of_image(&image[..]).unwrap();
            assert_eq!(manifest.entries, expected.entries, "{format:?}");
            let report = verify(&image[..], None).unwrap();
            assert_eq!(report.problems, [""; 0], "{format:?}");
        }
    }
}

#[test]
fn linux_refuses_them_and_the_error_names_the_command() {
    for (format, name) in [
        (
            OldFormat::BinaryLittleEndian,
            "in the old binary format, little-endian",
        ),
        (
            OldFormat::BinaryBigEndian,
            "in the old binary format, big-endian",
        ),
        (OldFormat::Odc, "of odc, the old portable format of cpio"),
    ] {
        let plain = old_archive(&entries(), format);
        for image in [plain.clone(), gzip(&plain)] {
            let problems = verify(&image[..], None).unwrap().problems;
            let [problem] = &problems[..] else {
                panic!("{problems:?}")
            };
            assert!(problem.contains(name), "{problem}");
            assert!(problem.contains("`packer convert IMAGE OUT`"), "{problem}");
        }
    }
}

#[test]
fn an_archive_that_is_cut_off_is_an_error() {
    for format in FORMATS {
        let small = [dir("d"), file("d/f", "odd"), symlink("d/l", "f")];
        let whole = old_archive(&small, format);
        let trailer = whole.windows(10).position(|ten| ten == b"TRAILER!!!");
        // With its NUL.
        for length in 0..trailer.unwrap() + 11 {
            let error = converted(&whole[..length]).unwrap_err();
            let is_known = [
                "is cut off: a part of its",
                "is not a cpio archive",
                "nothing to convert",
            ];
            assert!(
                is_known.iter().any(|known| error.contains(known)),
                "{length}: {error}"
            );
        }
        for length in trailer.unwrap() + 12..whole.len() {
            converted(&whole[..length]).unwrap();
        }
    }
}

#[test]
fn what_cannot_be_converted_is_an_error() {
    let odc = |entries: &[E]| old_archive(entries, OldFormat::Odc);
    let late = {
        let mut bytes = odc(&[dir("d")]);
        bytes[48..59].copy_from_slice(b"77777777777");
        bytes
    };
    let large = {
        let mut bytes = odc(&[file("f", "")]);
        bytes[65..76].copy_from_slice(b"40000000000");
        bytes
    };
    let not_octal = {
        let mut bytes = odc(&[file("f", "")]);
        bytes[20] = b'8';
        bytes
    };
    let unnamed = E {
        namesize: 0,
        ..dir("")
    };
    let two = [odc(&[dir("d")]), odc(&[dir("d")])].concat();
    for (what, archive, expected) in [
        ("a late time", late, "byte 0: its time is after 2106"),
        (
            "4 GiB",
            large,
            "byte 0: f: has 4294967296 bytes, but newc can store at most 4294967295",
        ),
        (
            "no octal digit",
            not_octal,
            "byte 0: expected a header of octal digits, found `",
        ),
        (
            "no path",
            odc(&[unnamed]),
            "byte 0: its path is not 1 to 4095 bytes long",
        ),
        (
            "a NUL in a path",
            odc(&[dir("a\0b")]),
            "byte 0: expected a path with a NUL at its end only, found `a\\x00b\\x00`",
        ),
        (
            "another archive",
            two.clone(),
            "something follows the trailer, which would be lost",
        ),
        (
            "another archive, compressed",
            gzip(&two),
            "something follows the trailer",
        ),
        (
            "another member",
            [gzip(&odc(&[dir("d")])), gzip(b"")].concat(),
            "something follows the trailer",
        ),
        (
            "junk for an entry",
            [old(&dir("d"), OldFormat::Odc), vec![b'x'; 80]].concat(),
            "byte 78: expected the next entry or the trailer, found `xxxxxx`",
        ),
        (
            "newc",
            archive(&[dir("d")]),
            "is in the format newc already",
        ),
        (
            "text",
            b"text".to_vec(),
            "is not a cpio archive in an old format",
        ),
        (
            "nothing",
            Vec::new(),
            "is not a cpio archive in an old format",
        ),
    ] {
        let error = converted(&archive).unwrap_err();
        assert!(error.contains(expected), "{what}: {error}");
    }
}

#[test]
fn the_command() {
    let directory = TempDir::new().unwrap();
    let packer = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_packer"))
            .args(arguments)
            .current_dir(&directory)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let path = |name: &str| directory.path().join(name);
    fs::write(path("old"), old_archive(&entries(), OldFormat::Odc)).unwrap();
    let done = (Some(0), String::new());
    assert_eq!(
        packer(&["convert", "old", "new", "--compress", "zstd:1"]),
        done
    );
    let (code, text) = packer(&["verify", "new"]);
    assert_eq!(code, Some(0), "{text}");
    let (_, text) = packer(&["list", "new", "d/c"]);
    assert_eq!(text, "crw------- 0:0 5,1 0 /d/c\n");

    // A result that was there stays, if there is no new one.
    let before = fs::read(path("new")).unwrap();
    let (code, text) = packer(&["convert", "new", "new"]);
    assert_eq!(
        (code, &text[..]),
        (
            Some(1),
            "new: would replace new, which is read for the image; name another file\n"
        )
    );
    fs::write(path("newer"), &before).unwrap();
    let (code, text) = packer(&["convert", "newer", "new"]);
    assert_eq!(code, Some(1));
    assert!(
        text.starts_with("newer: is in the format newc already"),
        "{text}"
    );
    assert!(fs::read(path("new")).unwrap() == before);
}
