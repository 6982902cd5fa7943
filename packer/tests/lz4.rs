//! Images compressed with lz4, in its legacy format.

mod images;

use images::*;
use packer::reader::{Item, Reader};
use packer::verify::verify;
use packer::{Manifest, diff};

/// What `lz4 -l` makes of fewer than 8 MiB.
fn lz4(bytes: &[u8]) -> Vec<u8> {
    let block = lz4_flex::block::compress(bytes);
    let size = (block.len() as u32).to_le_bytes();
    [&b"\x02\x21\x4c\x18"[..], &size, &block].concat()
}

fn early() -> Vec<u8> {
    archive(&[dir("kernel"), file("kernel/early", "early")])
}

fn main() -> Vec<u8> {
    archive(&[dir("d"), file("d/f", "text ".repeat(1000))])
}

fn problems(image: &[u8]) -> Vec<String> {
    verify(image, None).unwrap().problems
}

#[test]
fn it_is_read_as_any_other_image() {
    let image = [early(), lz4(&main())].concat();
    assert_eq!(problems(&image), [""; 0]);
    let mut reader = Reader::new(&image[..]);
    let (mut entries, mut archives) = (Vec::new(), Vec::new());
    while let Some(item) = reader.next_item().unwrap() {
        match item {
            Item::Entry(entry) => entries.push(entry.path.to_string()),
            Item::Archive(archive) => archives.push((
                archive.offset,
                archive.size,
                archive.format.map(|format| format.to_string()),
            )),
        }
    }
    assert_eq!(entries, ["kernel", "kernel/early", "d", "d/f"]);
    let begin = early().len() as u64;
    let size = main().len() as u64;
    assert_eq!(
        archives,
        [(0, begin, None), (begin, size, Some("lz4".into()))]
    );

    let plain = [early(), main()].concat();
    let [a, b] = [&image, &plain].map(|image| Manifest::of_image(&image[..]).unwrap());
    assert_eq!(a.entries, b.entries);
    let lines = diff::compare(&a, &b, ["a", "b"]);
    assert!(lines.concat().contains("lz4"), "{lines:?}");
}

#[test]
fn nuls_may_follow() {
    for nuls in 0..10 {
        let image = [lz4(&main()), vec![0; nuls]].concat();
        assert_eq!(problems(&image), [""; 0], "{nuls}");
    }
}

/// init/initramfs.c goes on behind four NULs. Fewer are the beginning of a block's size.
#[test]
fn another_archive_may_follow_four_nuls() {
    for (name, next) in [
        ("plain", early()),
        ("gzip", gzip(&early())),
        ("lz4", lz4(&early())),
    ] {
        for nuls in 4..20 {
            let mut image = lz4(&main());
            image.resize(image.len() + nuls, 0);
            // An archive that is not compressed begins at a multiple of 4.
            pad(&mut image, 4);
            image.extend(&next);
            let manifest = Manifest::of_image(&image[..]).unwrap();
            assert_eq!(manifest.entries.len(), 4, "{name} {nuls}");
        }
        for nuls in 0..4 {
            let image = [lz4(&main()), vec![0; nuls], next.clone()].concat();
            // A magic number goes on with the same data.
            if (name, nuls) != ("lz4", 0) {
                let problems = problems(&image);
                assert_eq!(problems.len(), 1, "{name} {nuls}: {problems:?}");
                assert!(problems[0].contains("the lz4 data "), "{problems:?}");
            }
        }
    }
    let image = [lz4(&main()), lz4(&early())].concat();
    assert_eq!(problems(&image), [""; 0]);
}
