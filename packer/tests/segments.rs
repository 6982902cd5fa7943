//! Images of several archives: made by `create`, and shown by `list --segments`.

mod images;

use images::*;
use packer::reader::{Item, Reader};
use std::fs;
use std::process::Command;
use tempfile::TempDir;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        place.write("amd.bin", b"DMA\0amd");
        place.write("intel.bin", &intel(b"1"));
        place.write("other.bin", &intel(b"2"));
        place.write("ssdt.aml", &table(b"SSDT", 40));
        place.write("text", b"text");
        place
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.path().join(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.path().join(name)).unwrap()
    }

    /// The exit code, and all output.
    fn packer(&self, arguments: &str) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_packer"))
            .args(arguments.split(' '))
            .current_dir(&self.0)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    }

    fn succeeds(&self, arguments: &str) -> String {
        let (code, text) = self.packer(arguments);
        assert_eq!(code, Some(0), "{arguments}: {text}");
        text
    }

    fn fails(&self, arguments: &str, expected: &str) {
        let (code, text) = self.packer(arguments);
        assert_eq!(code, Some(1), "{arguments}: {text}");
        assert!(text.contains(expected), "{arguments}: {text}");
    }

    /// What `list --segments` prints, without sizes and ratios, which depend on compressors.
    fn segments(&self, image: &str) -> String {
        let text = self.succeeds(&format!("list --segments {image}"));
        let lines = text.lines().map(|line| {
            let fields: Vec<_> = line.split(' ').collect();
            let [offset, size, compression, unpacked, ratio, entries, what] = fields[..] else {
                panic!("{line}");
            };
            let number = |text: &str| text.parse::<f64>().unwrap();
            assert!(
                (number(unpacked) / number(size) - number(ratio)).abs() < 0.006,
                "{line}"
            );
            assert_eq!(offset.parse::<u64>().unwrap() % 512, 0, "{line}");
            format!("{compression} {entries} {what}\n")
        });
        lines.collect()
    }
}

/// The start of Intel's header, with its versions.
fn intel(rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 48];
    bytes[0] = 1;
    bytes[20] = 1;
    [&bytes, rest].concat()
}

/// An ACPI table of `length` bytes.
fn table(signature: &[u8; 4], length: u32) -> Vec<u8> {
    let mut bytes = [&signature[..], &length.to_le_bytes()].concat();
    bytes.resize(length as usize, 7);
    let sum = bytes
        .iter()
        .fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
    bytes[9] = bytes[9].wrapping_sub(sum);
    bytes
}

#[test]
fn early_files_come_first_and_are_not_compressed() {
    let place = Place::new();
    place.succeeds(
        "create image --file /text=text --compress xz --microcode intel.bin --microcode amd.bin --microcode other.bin \
         --acpi ssdt.aml",
    );
    assert_eq!(
        place.segments("image"),
        "none 8 microcode,acpi-tables\nxz 1 files\n"
    );
    let cat = |path: &str| place.succeeds(&format!("cat image {path}")).into_bytes();
    assert_eq!(
        cat("kernel/x86/microcode/GenuineIntel.bin"),
        [intel(b"1"), intel(b"2")].concat()
    );
    assert_eq!(cat("kernel/x86/microcode/AuthenticAMD.bin"), b"DMA\0amd");
    let listed = place.succeeds("list image kernel/firmware/acpi/ssdt.aml");
    assert_eq!(
        listed,
        "-rw-r--r-- 0:0 40 0 /kernel/firmware/acpi/ssdt.aml\n"
    );
    place.succeeds("verify image");
    // The early loader looks for them without a `/`.
    let image = place.read("image");
    let path = b"kernel/x86/microcode/GenuineIntel.bin\0";
    let found = image.windows(path.len()).position(|window| window == path);
    assert_eq!(image[found.unwrap() - 1], b'0', "after the header");

    let json = place.succeeds("list --segments --json image");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let text = place.succeeds("list --segments image");
    assert_eq!(json["version"], 1);
    let segments = json["segments"].as_array().unwrap();
    assert_eq!(segments.len(), 2);
    for (line, segment) in text.lines().zip(segments) {
        let fields: Vec<_> = line.split(' ').collect();
        for (name, at) in [("offset", 0), ("size", 1), ("unpacked", 3), ("entries", 5)] {
            assert_eq!(segment[name].to_string(), fields[at], "{name}");
        }
        assert_eq!(segment["compression"], fields[2]);
        assert_eq!(segment["archives"], 1);
        let what: Vec<_> = fields[6].split(',').collect();
        assert_eq!(segment["what"], serde_json::json!(what));
    }

    place.succeeds("create ucode --microcode amd.bin");
    assert_eq!(place.segments("ucode"), "none 4 microcode\n");
}

#[test]
fn microcode_begins_where_processors_take_it() {
    let place = Place::new();
    for before in ["", "--acpi ssdt.aml ", "--microcode amd.bin "] {
        place.succeeds(&format!(
            "create image {before}--microcode intel.bin --microcode other.bin"
        ));
        place.succeeds("verify image");
        let (image, microcode) = (place.read("image"), [intel(b"1"), intel(b"2")].concat());
        let found = image
            .windows(microcode.len())
            .position(|window| window == microcode);
        assert_eq!(found.unwrap() % 16, 0, "{before}");
    }
}

#[test]
fn what_linux_would_ignore_is_refused() {
    let place = Place::new();
    let mut wrong_sum = table(b"DSDT", 50);
    wrong_sum[40] ^= 1;
    place.write("sum", &wrong_sum);
    place.write("long", &[&table(b"DSDT", 50)[..], b"x"].concat());
    place.write("xz", b"\xfd7zXZ\0");
    for (option, expected) in [
        ("--microcode text", "text: is neither microcode of Intel"),
        (
            "--microcode xz",
            "xz: is compressed with xz; decompress it first",
        ),
        ("--microcode nothing", "nothing: No such file"),
        (
            "--acpi text",
            "text: is shorter than the header of an ACPI table",
        ),
        (
            "--acpi long",
            "long: is no ACPI table: it has 51 bytes, but its header (`DSDT`) says 50",
        ),
        ("--acpi sum", "sum: is an ACPI table with a wrong checksum"),
    ] {
        place.fails(&format!("create image {option}"), expected);
        assert!(!place.0.path().join("image").exists());
    }
}

#[test]
fn archives_are_put_together() {
    let place = Place::new();
    for (name, compression) in [("a", "none"), ("b", "gzip"), ("c", "lzma"), ("d", "bzip2")] {
        place.succeeds(&format!(
            "create {name} --file /{name}=text --compress {compression}"
        ));
    }
    // Whatever the end of an image is, the next archive begins at the right place.
    place.write(
        "lz4",
        &[lz4(&archive(&[file("l", "l")])), vec![0; 3]].concat(),
    );
    place.succeeds("create image --onto lz4 --onto a --onto b --onto c --onto d --file /e=text --compress zstd");
    assert_eq!(
        place.segments("image"),
        "lz4 1 files\nnone 1 files\ngzip 1 files\nlzma 1 files\nbzip2 1 files\nzstd 1 files\n"
    );
    place.succeeds("verify image");
    place.succeeds("create two --onto image --onto a --manifest two.json");
    assert_eq!(
        place.segments("two"),
        place.segments("image") + "none 1 files\n"
    );
    place.succeeds("verify two --manifest two.json");
    assert!(place.read("two").starts_with(&place.read("image")));

    place.fails(
        "create a --onto a --file /e=text",
        "a: would replace a, which is read for the image",
    );
    place.write("cut", &place.read("a")[..200]);
    place.fails("create image --onto cut --file /e=text", "cut: byte ");
    place.fails(
        "create image --onto text --file /e=text",
        "text: byte 0: expected an archive",
    );
    place.fails("create image --onto . --file /e=text", ".: is a directory");
}

#[test]
fn archives_in_one_member_are_one_segment() {
    let early = archive(&[dir("kernel"), file("kernel/firmware/acpi/x", "x")]);
    let two = gzip(&[archive(&[dir("d"), file("d/f", "x")]), early.clone()].concat());
    let image = [early, two].concat();
    let place = Place::new();
    place.write("image", &image);
    let text = place.succeeds("list --segments image");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0], "0 384 none 384 1.00 2 acpi-tables");
    // In compressed data, Linux does not look for ACPI tables.
    assert!(
        lines[1].starts_with("384 ") && lines[1].ends_with(" 4 files"),
        "{text}"
    );

    place.write("cut", &image[..image.len() - 1]);
    let (code, text) = place.packer("list --segments cut");
    assert_eq!(code, Some(1));
    assert!(text.contains("the gzip data ends too early"), "{text}");
}

/// What `lz4 -l` makes of fewer than 8 MiB.
fn lz4(bytes: &[u8]) -> Vec<u8> {
    let block = lz4_flex::block::compress(bytes);
    let size = (block.len() as u32).to_le_bytes();
    [&b"\x02\x21\x4c\x18"[..], &size, &block].concat()
}

/// The sizes add up to the image.
#[test]
fn nothing_is_between_segments() {
    let parts = [
        archive(&[file("a", "a")]),
        gzip(&archive(&[file("b", "b")])),
        vec![0; 100],
        gzip(&archive(&[])),
    ];
    let mut image = parts[0].clone();
    image.extend(&parts[1]);
    image.extend(&parts[2]);
    let third = image.len() as u64;
    image.extend(&parts[3]);
    let mut found = Vec::new();
    packer::segments::read(&image[..], &mut |segment| {
        found.push(segment);
        Ok(())
    })
    .unwrap();
    assert_eq!(
        found.iter().map(|segment| segment.size).sum::<u64>(),
        image.len() as u64
    );
    assert_eq!(found[2].offset, third);
    assert_eq!((found[2].entries, found[2].parts.len()), (0, 0));
    let mut reader = Reader::new(&image[..]);
    let mut archives = 0;
    while let Some(item) = reader.next_item().unwrap() {
        archives += usize::from(matches!(item, Item::Archive(_)));
    }
    assert_eq!(
        archives,
        found.iter().map(|segment| segment.archives).sum::<usize>()
    );
}
