//! Reads images as Linux does.

mod images;

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

#[test]
fn what_linux_refuses_is_an_error_with_its_position() {
    let a = one("a");
    let (a_gz, b_gz) = (gzip(&a), gzip(&one("b")));
    let mut bad_check = file("a", "A");
    bad_check.magic = "070702";
    bad_check.check = 0x42;
    let mut bad_crc = a_gz.clone();
    let crc = bad_crc.len() - 8;
    bad_crc[crc] ^= 1;
    let unaligned = gzip(b"");
    assert_ne!(unaligned.len() % 4, 0);

    for (what, image, expected) in [
        (
            "junk",
            b"junk".to_vec(),
            "byte 0: expected an archive, compressed data of a kind that Linux knows, or NULs; found `ju`",
        ),
        (
            "one byte of junk",
            join([&a, b"j"]),
            "byte 240: expected an archive, compressed data of a kind that Linux knows, or NULs; found `j`",
        ),
        (
            "an archive at an odd place",
            join([&a, &[0; 3], &a]),
            "byte 243: the data after an entry must begin at a multiple of 4; the number of NULs before it \
             is wrong",
        ),
        (
            "a member at an odd place after an archive that is not compressed",
            join([&a, &[0; 2], &a_gz]),
            "byte 242: the data after an entry must begin at a multiple of 4; the number of NULs before it \
             is wrong",
        ),
        (
            "an archive at an odd place after a member",
            join([&a, &unaligned, &a]),
            "byte 263: an archive has to begin at a multiple of 4; pad with NULs",
        ),
        (
            "junk in a member",
            join([&a, &gzip(&join([&a, b"junk"]))]),
            "byte 240 of the gzip member at byte 240: expected an archive or NULs, found `j`",
        ),
        (
            "a member in a member",
            gzip(&join([&a, &b_gz])),
            "byte 240 of the gzip member at byte 0: expected an archive or NULs, found `\\x1f`",
        ),
        (
            "nothing in the first member",
            gzip(b""),
            "byte 0 of the gzip member at byte 0: expected an archive, found nothing",
        ),
        (
            "NULs first in the first member",
            gzip(&join([&[0; 4], &a])),
            "byte 0 of the gzip member at byte 0: expected an archive, found a NUL, which can only come \
             after an archive",
        ),
        (
            "junk in the first member",
            gzip(b"junk"),
            "byte 0 of the gzip member at byte 0: expected an archive or NULs, found `j`",
        ),
        (
            "no trailer",
            file("a", "A").bytes(),
            "byte 116: expected the next entry or the trailer, found the end; was it cut off?",
        ),
        (
            "no trailer in a member",
            join([&gzip(&file("a", "A").bytes()), &a_gz]),
            "byte 116 of the gzip member at byte 0: expected the next entry or the trailer, found the end; \
             was it cut off?",
        ),
        (
            "no trailer before a member",
            join([&file("a", "A").bytes(), &a_gz]),
            "byte 116: expected the next entry or the trailer, found `\\x1f`",
        ),
        (
            "another format of cpio",
            join([&a, b"070707", &[b'0'; 104]]),
            "byte 240: expected the magic 070701 or 070702, found `070707`, the old portable format; make \
             it with `cpio -H newc`",
        ),
        (
            "a header with another magic",
            join([&[b'0'; 110], b""]),
            "byte 0: expected the magic 070701 or 070702, found `000000`",
        ),
        (
            "a header that is not hexadecimal",
            join([&a[..14], b"0x0001ed", &a[22..]]),
            "byte 0: expected a header of hexadecimal digits, found `0x0001ed`",
        ),
        (
            "a path without NUL",
            E {
                namesize: 1,
                ..file("a", "A")
            }
            .bytes(),
            "byte 0: expected a path of 1 bytes with a NUL at the end, found `a`",
        ),
        (
            "the target of a symbolic link, and no NUL before it",
            E {
                namesize: 4,
                ..symlink("abcd", "x")
            }
            .bytes(),
            "byte 0: expected a path of 4 bytes with a NUL at the end, found `abcd`",
        ),
        (
            "a wrong checksum",
            archive(&[bad_check]),
            "byte 0: a: its bytes sum up to 0x00000041, but its header says 0x00000042",
        ),
        (
            "contents that are not there",
            E {
                filesize: u32::MAX,
                ..file("a", "A")
            }
            .bytes(),
            "byte 0: the entry that begins here is cut off: 4294967291 bytes of the contents of a \
             are missing",
        ),
        (
            "a path that is not there",
            E {
                namesize: u32::MAX,
                ..file("a", "A")
            }
            .bytes(),
            "byte 0: the entry that begins here is cut off: 4294967292 bytes of its path are missing",
        ),
        (
            "a target that is not there",
            E {
                filesize: 4096,
                ..symlink("a", "A")
            }
            .bytes(),
            "byte 0: the entry that begins here is cut off: 4092 bytes of its target are missing",
        ),
        (
            "padding that is not there, in a member",
            gzip(&file("a", "A").bytes()[..113]),
            "byte 0 of the gzip member at byte 0: the entry that begins here is cut off: 3 bytes of its \
             padding are missing",
        ),
        (
            "half of a member",
            a_gz[..a_gz.len() / 2].to_vec(),
            "the gzip data ends too early; was it cut off?",
        ),
        ("a corrupt member", bad_crc, "the gzip data is corrupt"),
        (
            "bzip2",
            b"BZh9".to_vec(),
            "byte 0: the data from here on is compressed with bzip2, which packer does not unpack; unpack \
             it with `bzip2 -dc <IMAGE >OUT`, and read OUT",
        ),
        (
            "lz4 after an archive",
            join([&a, &[0; 4], b"\x02\x21\x4c\x18"]),
            "byte 244: the data from here on is compressed with lz4, which packer does not unpack; unpack \
             it with `tail -c +245 IMAGE | lz4 -dc >OUT`, and read OUT",
        ),
        (
            "lzma",
            b"\x5d\0\0".to_vec(),
            "`xz --format=lzma -dc <IMAGE >OUT`",
        ),
        ("lzo", b"\x89LZO".to_vec(), "`lzop -dc <IMAGE >OUT`"),
        (
            "a kernel",
            b"MZ\xea".to_vec(),
            "byte 0: expected an archive, found an EFI program; `objcopy ",
        ),
        (
            "a tar archive in a member",
            gzip(&join([&[b'x'; 257], b"ustar"])),
            "byte 0 of the gzip member at byte 0: expected an archive or NULs, found a tar archive; ",
        ),
        (
            "an ISO 9660 image",
            join([&[0; 0x8000], b"\x01CD001"]),
            "byte 32768: expected an archive, found an ISO 9660 image; ",
        ),
        (
            "another after an archive",
            join([&a, b"hsqs"]),
            "byte 240: expected an archive, found a squashfs file system; with `tail -c +241 IMAGE >REST`, ",
        ),
        (
            "only NULs",
            vec![0; 5],
            "byte 5: expected an archive, found only NULs",
        ),
    ] {
        let error = error(&image);
        assert!(
            error.contains(expected) && error.starts_with("byte "),
            "{what}:\n{error}\n{expected}"
        );
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

fn sri(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    format!("sha256-{}", STANDARD.encode(Sha256::digest(bytes)))
}

#[test]
fn hashes_of_images_and_archives() {
    let (a, b, c) = (
        join([&one("a"), &[0; 16]]),
        one("b"),
        join([&one("c"), &[0; 6]]),
    );
    let early = join([&[0; 4], &a]);
    let both = gzip(&join([&b, &c]));
    let image = join([&early, &both, &[0; 9]]);
    let manifest = Manifest::of_image(&image[..]).unwrap();
    assert_eq!(manifest.version, 1);
    assert_eq!(manifest.image.size, image.len() as u64);
    assert_eq!(manifest.image.hash, sri(&image));
    let found = manifest.archives.iter().map(|archive| {
        (
            archive.offset,
            &archive.compression[..],
            archive.size,
            archive.hash.clone(),
        )
    });
    let member = early.len() as u64;
    let expected = [
        (4, "none", a.len() as u64, sri(&a)),
        (member, "gzip", b.len() as u64, sri(&b)),
        (member, "gzip", c.len() as u64, sri(&c)),
    ];
    assert!(found.eq(expected), "{manifest:?}");
    let archives: Vec<_> = manifest.entries.iter().map(|entry| entry.archive).collect();
    assert_eq!(archives, [0, 1, 2]);
}

#[test]
fn paths_are_from_the_root_on() {
    let paths = [
        ".", "a", "./a", "/a", "a/", "a//b/./c", "..", "../a", "a/../b", "/",
    ];
    let image = archive(&paths.map(dir));
    let manifest = Manifest::of_image(&image[..]).unwrap();
    let paths: Vec<_> = manifest
        .entries
        .iter()
        .map(|entry| entry.path.to_string())
        .collect();
    let expected = [
        "/", "/a", "/a", "/a", "/a", "/a/b/c", "/..", "/../a", "/a/../b", "/",
    ];
    assert_eq!(paths, expected);
}

/// Hard links, with the first name and the contents of each.
fn links(image: &[u8]) -> Vec<String> {
    let entries = Manifest::of_image(image).unwrap().entries.into_iter();
    let link = |entry: packer::manifest::ManifestEntry| {
        let ManifestKind::File {
            size,
            sha256,
            hard_link_to,
        } = entry.kind
        else {
            panic!()
        };
        let contents = ["", "A", "BB"].iter().find(|contents| {
            format!("{:x}", Sha256::digest(contents)) == sha256 && size == contents.len() as u64
        });
        let to = hard_link_to
            .map(|path| format!(" -> {path}"))
            .unwrap_or_default();
        format!("{}{to} = {}", entry.path, contents.unwrap())
    };
    entries.map(link).collect()
}

#[test]
fn all_names_of_a_file_have_its_contents() {
    let image = archive(&[
        name("last-1", 1, 3, ""),
        name("first-1", 2, 2, "BB"),
        name("last-2", 1, 3, ""),
        name("first-2", 2, 2, ""),
        name("last-3", 1, 3, "A"),
        name("empty-1", 3, 2, ""),
        name("empty-2", 3, 2, ""),
        name("all-1", 4, 2, "A"),
        name("all-2", 4, 2, "A"),
        // With a link count of 1, the same inode number has no meaning.
        name("single", 1, 1, "BB"),
    ]);
    // The inode numbers are valid up to the trailer.
    let image = join([&image, &archive(&[name("other", 1, 3, "")])]);
    assert_eq!(
        links(&image),
        [
            "/last-1 = A",
            "/first-1 = BB",
            "/last-2 -> /last-1 = A",
            "/first-2 -> /first-1 = BB",
            "/last-3 -> /last-1 = A",
            "/empty-1 = ",
            "/empty-2 -> /empty-1 = ",
            "/all-1 = A",
            "/all-2 -> /all-1 = A",
            "/single = BB",
            "/other = ",
        ]
    );
}

#[test]
fn a_manifest_is_read_back() {
    let image = archive(&[
        dir("."),
        file(b"\xff\n", "A"),
        symlink("l", "\\"),
        device("c", CHAR, (5, 1)),
    ]);
    let manifest = Manifest::of_image(&image[..]).unwrap();
    let mut json = Vec::new();
    manifest.write(&mut json).unwrap();
    assert_eq!(Manifest::read_json(&json[..]).unwrap(), manifest);

    for (json, expected) in [
        ("", "is not a manifest: EOF while parsing"),
        ("[]", "is not a manifest: "),
        (
            r#"{"version": 1}"#,
            "is not a manifest: missing field `image`",
        ),
        (
            r#"{"version": 2, "entries": "of another kind"}"#,
            "is a manifest of version 2, not 1; make it again with this packer",
        ),
    ] {
        let Err(Error::Input(error)) = Manifest::read_json(json.as_bytes()) else {
            panic!("{json}")
        };
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}
