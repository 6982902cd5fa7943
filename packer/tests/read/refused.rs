//! Images that Linux refuses.

use super::*;

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
            "byte 240: expected the magic 070701 or 070702, found `070707`, of odc, the old portable format of \
             cpio: Linux knows only newc; `packer convert IMAGE OUT` makes an image of it",
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
            "bzip2 that is cut off, after an archive",
            join([&a, &[0; 4], b"BZh9"]),
            "byte 0 of the bzip2 member at byte 244: the bzip2 data ends too early; was it cut off?",
        ),
        (
            "lzma that is cut off",
            b"\x5d\0\0".to_vec(),
            "byte 0 of the lzma member at byte 0: the lzma data ends too early; was it cut off?",
        ),
        (
            "lzo that is cut off",
            b"\x89LZO".to_vec(),
            "byte 0 of the lzo member at byte 0: the lzo data ends too early; was it cut off?",
        ),
        (
            "two streams of bzip2 with half of an archive each, as pbzip2 writes",
            join([&compress("bzip2", &a[..116]), &compress("bzip2", &a[116..])]),
            "byte 116 of the bzip2 member at byte 0: expected the next entry or the trailer, found the end; \
             was it cut off?",
        ),
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

/// From a device such as /dev/zero, or in compressed data, they may have no end.
#[test]
fn endless_nuls() {
    let error = |image: &mut dyn Read| {
        let mut reader = Reader::new(image);
        loop {
            match reader.next_item() {
                Ok(item) => assert!(item.is_some()),
                Err(error) => return error.to_string(),
            }
        }
    };
    let a = one("a");
    let expected = |position| {
        format!(
            "cannot read the archive: {position}: more than 1024 MiB of NULs begin here, and perhaps they never end; if an \
             image comes before them, cut them off, as `head -c SIZE` does"
        )
    };
    assert_eq!(error(&mut io::repeat(0)), expected("byte 0"));
    assert_eq!(
        error(&mut (&a[..]).chain(io::repeat(0))),
        expected("byte 240")
    );
    let mut bomb = zstd::Encoder::new(Vec::new(), 1).unwrap();
    io::copy(
        &mut (&a[..]).chain(io::repeat(0).take((1 << 30) + 1)),
        &mut bomb,
    )
    .unwrap();
    let bomb = bomb.finish().unwrap();
    assert_eq!(
        error(&mut &bomb[..]),
        expected("byte 240 of the zstd member at byte 0")
    );
}
