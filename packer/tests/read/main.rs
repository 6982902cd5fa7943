//! Reads images as Linux does.

#[path = "../images/mod.rs"]
mod images;
mod manifest;
mod refused;

use images::*;
use packer::manifest::ManifestKind;
use packer::reader::{FileType, Item, Reader, Skipped};
use packer::{Error, Manifest};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

/// The contents of an image in short: `path` or `path=contents` for each entry, and `|` for the end of an
/// archive.
fn short(image: impl Read) -> Result<String, Error> {
    let mut reader = Reader::new(image);
    let mut words = Vec::new();
    while let Some(item) = reader.next_item()? {
        words.push(match item {
            Item::Archive(_) => "|".to_owned(),
            Item::Entry(entry) => {
                let mut contents = String::new();
                reader
                    .contents()
                    .read_to_string(&mut contents)
                    .map_err(Error::Input)?;
                match entry.path.to_string() {
                    path if contents.is_empty() => path,
                    path => format!("{path}={contents}"),
                }
            }
        });
    }
    Ok(words.join(" "))
}

fn error(image: impl AsRef<[u8]>) -> String {
    match short(image.as_ref()) {
        Err(Error::Input(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Bytes one after the other.
fn join<const N: usize>(parts: [&[u8]; N]) -> Vec<u8> {
    parts.concat()
}

fn one(path: &str) -> Vec<u8> {
    archive(&[file(path, path.to_uppercase())])
}

#[test]
fn every_field_of_every_type() {
    let image = archive(&[
        E {
            uid: 1,
            gid: 2,
            mtime: 3,
            ..dir("d")
        },
        file("d/f", "abcde"),
        symlink("d/l", "f"),
        device("d/c", CHAR | 0o600, (5, 1)),
        device("d/b", BLOCK | 0o600, (8, 300)),
        e("d/p", FIFO | 0o600, ""),
        e("d/s", SOCKET | 0o4711, ""),
    ]);
    let mut reader = Reader::new(&image[..]);
    let mut found = Vec::new();
    while let Some(Item::Entry(entry)) = reader.next_item().unwrap() {
        assert_eq!((entry.skipped, entry.archive), (None, 0));
        let mut contents = String::new();
        reader.contents().read_to_string(&mut contents).unwrap();
        let header = entry.header;
        assert_eq!(
            (header.uid, header.gid, header.mtime),
            match found.len() {
                0 => (1, 2, 3),
                _ => (0, 0, 0),
            }
        );
        found.push((
            entry.position.byte,
            entry.file_type().unwrap(),
            entry.path.to_string(),
            contents,
            entry.target.to_string(),
            (header.rdevmajor, header.rdevminor),
        ));
    }
    let expected = [
        (0, FileType::Directory, "d", "", "", (0, 0)),
        (112, FileType::File, "d/f", "abcde", "", (0, 0)),
        (236, FileType::Symlink, "d/l", "", "f", (0, 0)),
        (356, FileType::CharDevice, "d/c", "", "", (5, 1)),
        (472, FileType::BlockDevice, "d/b", "", "", (8, 300)),
        (588, FileType::Fifo, "d/p", "", "", (0, 0)),
        (704, FileType::Socket, "d/s", "", "", (0, 0)),
    ];
    let expected = expected.map(|(byte, file_type, path, contents, target, device)| {
        (
            byte,
            file_type,
            path.into(),
            contents.into(),
            target.into(),
            device,
        )
    });
    assert_eq!(found, expected);
}

/// Writes the archive with an independent library.
#[test]
fn another_writer() {
    let mut image = Vec::new();
    for (path, contents) in [("a", ""), ("bb", "1"), ("ccc", "22"), ("dddd", "333")] {
        let builder = cpio::newc::Builder::new(path)
            .mode(0o100644)
            .mtime(7)
            .uid(1);
        let mut writer = builder.write(&mut image, contents.len() as u32);
        writer.write_all(contents.as_bytes()).unwrap();
        writer.finish().unwrap();
    }
    cpio::newc::trailer(&mut image).unwrap();
    assert_eq!(short(&image[..]).unwrap(), "a bb=1 ccc=22 dddd=333 |");
}

#[test]
fn all_that_there_may_be_between_archives() {
    let (a, b, c) = (one("a"), one("b"), one("c"));
    let (a_gz, b_xz, c_zst) = (gzip(&a), compress("xz", &b), compress("zstd", &c));
    for (what, image, expected) in [
        ("one", a.clone(), "a=A |"),
        ("early microcode", join([&a, &b_xz]), "a=A | b=B |"),
        (
            "members of all kinds",
            join([&a_gz, &b_xz, &c_zst]),
            "a=A | b=B | c=C |",
        ),
        ("two in a member", gzip(&join([&a, &b])), "a=A | b=B |"),
        (
            "two in a member, NULs",
            gzip(&join([&a, &[0; 400], &b, &[0; 3]])),
            "a=A | b=B |",
        ),
        ("NULs before", join([&[0; 8], &a]), "a=A |"),
        (
            "any number of NULs before a member",
            join([&[0; 7], &a_gz]),
            "a=A |",
        ),
        (
            "any number of NULs between members",
            join([&a_gz, &[0; 5], &b_xz]),
            "a=A | b=B |",
        ),
        (
            "any number of NULs at the end",
            join([&a_gz, &[0; 3]]),
            "a=A |",
        ),
        (
            "any number of NULs at the end",
            join([&a, &[0; 3]]),
            "a=A |",
        ),
        (
            "aligned NULs",
            join([&a, &[0; 388], &b, &[0; 4], &c_zst]),
            "a=A | b=B | c=C |",
        ),
        (
            "nothing, compressed",
            join([&a, &gzip(b""), &b_xz]),
            "a=A | b=B |",
        ),
        (
            "NULs, compressed",
            join([&a, &gzip(&[0; 9]), &b_xz]),
            "a=A | b=B |",
        ),
        ("a trailer alone", archive(&[]), "|"),
    ] {
        assert_eq!(short(&image[..]).unwrap(), expected, "{what}");
        let bytes = image.iter().map(std::slice::from_ref);
        let byte_by_byte = short(Chunks(bytes, false)).unwrap();
        assert_eq!(byte_by_byte, expected, "{what}, byte by byte");
    }

    // After a compressed member, an archive must begin at a multiple of 4 in the image.
    let mut image = a_gz.clone();
    pad(&mut image, 4);
    image.extend(&b);
    assert_eq!(short(&image[..]).unwrap(), "a=A | b=B |");

    // There may be NULs between entries, too.
    let entries = join([&file("a", "A").bytes(), &[0; 4], &b]);
    assert_eq!(short(&entries[..]).unwrap(), "a=A b=B |");
    // Padding may have any bytes.
    let mut padded = one("a");
    assert_eq!(padded[113], 0);
    padded[113..116].fill(b'x');
    assert_eq!(short(&padded[..]).unwrap(), "a=A |");
}

/// A file that is read in small pieces, with an interruption before each.
struct Chunks<I>(I, bool);

impl<'a, I: Iterator<Item = &'a [u8]>> Read for Chunks<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let bytes = self.0.next().unwrap_or_default();
        buffer[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

/// Entries that Linux skips without a message are marked, and the entries after them are read.
#[test]
fn what_linux_skips() {
    let long = "l/".repeat(2047); // With the NUL, 4095 bytes.
    let entries = [
        (
            E {
                namesize: 0,
                ..file("", "A")
            },
            Some(Skipped::Path),
        ),
        (file("", "A"), Some(Skipped::Path)),
        (dir(format!("{long}l")), None),
        (dir(format!("{long}ll")), Some(Skipped::Path)),
        (file("x".repeat(70_000), "A"), Some(Skipped::Path)),
        (symlink("a", "t".repeat(4096)), None),
        (symlink("a", "t".repeat(4097)), Some(Skipped::Target)),
        (e("a", DIR, "A"), Some(Skipped::Contents)),
        (e("a", CHAR, "A"), Some(Skipped::Contents)),
        (e("a", 0, "A"), Some(Skipped::Contents)),
        (e("a", 0, ""), Some(Skipped::Type)),
        (e("a", 0o030000, ""), Some(Skipped::Type)),
        (file("a/", ""), Some(Skipped::Directory)),
        (file(".", ""), Some(Skipped::Directory)),
        (symlink("a/..", "x"), Some(Skipped::Directory)),
        (dir("a/"), None),
        (dir("."), None),
        // Linux compares only some names with that of the trailer.
        (e("TRAILER!!!", DIR, "A"), Some(Skipped::Contents)),
        (symlink("TRAILER!!!", "A"), None),
        (file("./TRAILER!!!", "A"), None),
        (file("last", "A"), None),
    ];
    let mut reader_input = archive(&entries.clone().map(|(entry, _)| entry));
    // Bytes after a NUL do not belong to a path or a target.
    reader_input.splice(..0, file("a\0b", "").bytes());
    reader_input.splice(..0, symlink("l", "x\0y").bytes());
    for image in [gzip(&reader_input), reader_input] {
        let mut reader = Reader::new(&image[..]);
        let mut next = || match reader.next_item().unwrap() {
            Some(Item::Entry(entry)) => entry,
            other => panic!("{other:?}"),
        };
        let entry = next();
        assert_eq!((&entry.path[..], &entry.target[..]), (&b"l"[..], &b"x"[..]));
        assert_eq!(next().path, "a");
        for (entry, skipped) in &entries {
            let found = next();
            assert_eq!(found.skipped, *skipped, "{found:?}");
            let expected = &entry.path[..entry.path.len().min(4096)];
            assert_eq!(found.path, expected);
        }
        assert!(matches!(reader.next_item(), Ok(Some(Item::Archive(_)))));
        assert!(matches!(reader.next_item(), Ok(None)));
    }
}

#[test]
fn a_name_that_ends_an_archive_does_so_whatever_it_is() {
    for trailer in [
        file("TRAILER!!!", "contents"),
        file("TRAILER!!!\0x", ""),
        E {
            magic: "070702",
            check: 1,
            ..file("TRAILER!!!", "contents")
        },
        E {
            mode: DIR,
            nlink: 9,
            ..dir("TRAILER!!!")
        },
    ] {
        let image = join([&file("a", "A").bytes(), &trailer.bytes(), &one("b")]);
        assert_eq!(short(&image[..]).unwrap(), "a=A | b=B |");
    }
}

/// Wherever an image is cut off, the reader notices it.
#[test]
fn no_cut_goes_unnoticed() {
    let image = archive(&[dir("d"), file("d/f", "abcde"), symlink("l", "d/f")]);
    for end in 1..image.len() {
        assert!(short(&image[..end]).is_err(), "{end}");
    }
    assert!(short(&image[..]).is_ok());
    for compression in ["gzip", "zstd", "xz"] {
        let image = compress(compression, &image);
        for end in 1..image.len() {
            assert!(short(&image[..end]).is_err(), "{compression} {end}");
        }
        assert!(short(&image[..]).is_ok());
    }
}

/// Whatever a byte is changed to, the reader ends without a panic.
#[test]
fn no_byte_is_trusted() {
    let image = archive(&[
        dir("d"),
        E {
            magic: "070702",
            ..file("d/f", "abcde")
        },
        symlink("l", "d/f"),
    ]);
    for (compression, values) in [
        ("none", 0..=255),
        ("gzip", 0..=255),
        ("zstd", 0..=255),
        ("xz", 0..=255),
    ] {
        let image = match compression {
            "none" => image.clone(),
            _ => compress(compression, &image),
        };
        for index in 0..image.len() {
            for value in values.clone().step_by(15) {
                let mut image = image.clone();
                image[index] = value;
                let _ = short_of_bytes(&image);
                let _ = Manifest::of_image(&image[..]);
            }
        }
    }
}

/// As [`short`], for contents that may not be text.
fn short_of_bytes(image: &[u8]) -> Result<u64, Error> {
    let mut reader = Reader::new(image);
    let mut size = 0;
    while let Some(item) = reader.next_item()? {
        if let Item::Entry(_) = item {
            size += io::copy(&mut reader.contents(), &mut io::sink()).map_err(Error::Input)?;
        }
    }
    Ok(size)
}

#[test]
fn a_checksum_is_of_the_contents_of_files() {
    let sum = |path: &str, contents: &str| E {
        magic: "070702",
        check: contents.bytes().map(u32::from).sum(),
        ..file(path, contents)
    };
    let wrong = |entry: E| E {
        magic: "070702",
        check: 1,
        ..entry
    };
    let image = archive(&[
        sum("empty", ""),
        sum("a", "A"),
        sum("many", &"z".repeat(200_000)),
        wrong(dir("d")),
        wrong(symlink("l", "x")),
        E {
            check: 5,
            ..file("not summed", "B")
        },
    ]);
    assert!(short(&image[..]).is_ok());
    // The hash includes contents that the caller does not read.
    let image = archive(&[wrong(file("a", "A"))]);
    let mut reader = Reader::new(&image[..]);
    reader.next_item().unwrap();
    let error = reader.next_item().unwrap_err().to_string();
    assert!(error.contains("sum up to 0x00000041"), "{error}");
}

#[test]
fn contents_need_not_be_read() {
    let image = archive(&[file("a", "x".repeat(300_000)), file("b", "B")]);
    let mut reader = Reader::new(&image[..]);
    assert!(matches!(reader.next_item(), Ok(Some(Item::Entry(_)))));
    let mut some = [0; 5];
    reader.contents().read_exact(&mut some).unwrap();
    assert!(matches!(reader.next_item(), Ok(Some(Item::Entry(entry))) if entry.path == "b"));
}

#[test]
fn after_an_error_there_is_nothing_more() {
    let image = join([b"junk", &one("a")]);
    let mut reader = Reader::new(&image[..]);
    assert!(reader.next_item().is_err());
    let error = reader.next_item().unwrap_err().to_string();
    assert!(
        error.contains("nothing can be read after an error"),
        "{error}"
    );
    assert_eq!(reader.image(), None);
}

#[test]
fn a_file_that_cannot_be_read_is_not_called_broken() {
    struct Directory;
    impl Read for Directory {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(21))
        }
    }
    for image in [&[][..], &one("a")[..50], &gzip(&one("a"))[..20]] {
        let Err(Error::Input(error)) = short(image.chain(Directory)) else {
            panic!()
        };
        assert_eq!(error.raw_os_error(), Some(21));
    }
}
