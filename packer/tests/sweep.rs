//! Images cut off at each byte, and with each byte changed: an error or a right result, and no panic. And odd names.

mod images;
#[path = "../fuzz/properties.rs"]
mod properties;

use images::*;
use packer::Manifest;
use packer::extract::{ExtractOptions, extract};
use packer::manifest::ManifestKind;
use packer::verify::verify;
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

/// Something of everything. `070702` has checksums.
fn small() -> Vec<u8> {
    let mut summed = file("d/s", "sum");
    summed.magic = "070702";
    summed.check = b"sum".iter().map(|&byte| u32::from(byte)).sum();
    archive(&[
        dir("d"),
        name("d/a", 3, 2, ""),
        name("d/b", 3, 2, "two names"),
        symlink("d/l", "a"),
        summed,
        e("d/p", FIFO | 0o600, ""),
    ])
}

/// What `lz4 -l` makes of fewer than 8 MiB.
fn lz4(bytes: &[u8]) -> Vec<u8> {
    let block = lz4_flex::block::compress(bytes);
    let size = (block.len() as u32).to_le_bytes();
    [&b"\x02\x21\x4c\x18"[..], &size, &block, &[0; 4]].concat()
}

/// What lzop makes of data that it cannot compress.
fn lzo(bytes: &[u8]) -> Vec<u8> {
    let mut header = vec![0x10, 0x40, 0x20, 0xa0, 0x09, 0x40, 1, 5];
    header.extend([0, 0, 0, 1]); // Flags: one checksum of the data.
    header.extend([0; 13]); // No mode, time and name.
    let size = (bytes.len() as u32).to_be_bytes();
    let sum = |bytes| libdeflater::adler32(bytes).to_be_bytes();
    let parts: [&[u8]; 8] = [
        b"\x89LZO\0\r\n\x1a\n",
        &header,
        &sum(&header),
        &size,
        &size,
        &sum(bytes),
        bytes,
        &[0; 4],
    ];
    parts.concat()
}

/// Each image with its name.
fn all() -> Vec<(&'static str, Vec<u8>)> {
    let small = small();
    let mut images: Vec<_> = ["none", "gzip", "zstd", "xz", "bzip2", "lzma"]
        .into_iter()
        .map(|name| (name, compress(name, &small)))
        .collect();
    images.push(("lz4", lz4(&small)));
    images.push(("lzo", lzo(&small)));
    let early = archive(&[dir("kernel"), file("kernel/x", "x")]);
    images.push((
        "two archives",
        [early, gzip(&archive(&[file("a", "a")]))].concat(),
    ));
    images
}

#[test]
fn whole_images_have_no_problem() {
    for (name, image) in all() {
        assert_eq!(
            verify(&image[..], None).unwrap().problems,
            [""; 0],
            "{name}"
        );
    }
}

#[test]
fn cut_off_at_each_byte() {
    for (name, image) in all() {
        let whole = Manifest::of_image(&image[..]).unwrap();
        for length in 0..image.len() {
            let part = &image[..length];
            properties::reader(part);
            match Manifest::of_image(part) {
                Err(error) => {
                    let error = error.to_string();
                    let is_clear = [
                        "cut off",
                        "too early",
                        "too large",
                        "empty",
                        "expected",
                        "corrupt",
                    ];
                    assert!(
                        is_clear.iter().any(|word| error.contains(word)),
                        "{name}, {length}: {error}"
                    );
                }
                // The NULs after lz4 may be missing. Two archives may be cut off between them.
                Ok(found) if name == "lz4" => assert_eq!(found.entries, whole.entries, "{length}"),
                Ok(found) => assert_eq!(
                    (name, &found.entries[..], found.archives.len()),
                    ("two archives", &whole.entries[..2], 1),
                    "{length}"
                ),
            }
        }
    }
}

#[test]
fn each_byte_changed() {
    for (name, image) in all() {
        for at in 0..image.len() {
            for change in [0x01, 0xff] {
                let mut image = image.clone();
                image[at] ^= change;
                properties::reader(&image);
                // Extracting takes most of the time, and the archives are the same in all compressions.
                if change == 1 && matches!(name, "none" | "lzma" | "two archives") {
                    properties::extraction(&image);
                    extracts_no_more_than_listed(&image);
                }
            }
        }
    }
}

/// Extracting writes no contents that listing does not show.
fn extracts_no_more_than_listed(image: &[u8]) {
    let Ok(manifest) = Manifest::of_image(image) else {
        return;
    };
    let listed = manifest.entries.iter().map(|entry| match entry.kind {
        ManifestKind::File { size, .. } => size,
        _ => 0,
    });
    let directory = tempfile::tempdir().unwrap();
    let options = ExtractOptions::default();
    let _ = extract(image, directory.path(), options, &mut |_| {});
    properties::open_directories(directory.path());
    let extracted = size(directory.path(), &mut HashSet::new());
    assert!(extracted <= listed.sum(), "{extracted}");
}

/// The size of all files in a directory. Names of one file count once.
fn size(directory: &Path, seen: &mut HashSet<u64>) -> u64 {
    let mut sum = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() {
            sum += size(&entry.path(), seen);
        } else if metadata.is_file() && seen.insert(metadata.ino()) {
            sum += metadata.len();
        }
    }
    sum
}

#[test]
fn odd_names() {
    let long = vec![b'n'; 4095];
    let deep = [&b"d/".repeat(2000)[..], b"f"].concat();
    for (path, problem) in [
        (&b"../up"[..], Some("its path contains `..`")),
        (b"a/../../up", Some("its path contains `..`")),
        (b"/absolute", None),
        (b"", Some("its path is not 1 to 4095 bytes long")),
        (b"new\nline", None),
        (b"\x1b[31mred", None),
        (b"\xff\xfe", None),
        (&long, Some("")),
        (
            &[&long[..], b"n"].concat(),
            Some("its path is not 1 to 4095 bytes long"),
        ),
        (&deep, Some("")),
    ] {
        let image = archive(&[file(path, "text")]);
        properties::reader(&image);
        properties::extraction(&image);
        extracts_no_more_than_listed(&image);
        let problems = verify(&image[..], None).unwrap().problems;
        assert_eq!(problems.is_empty(), problem.is_none(), "{problems:?}");
        let expected = problem.unwrap_or_default();
        assert!(
            problems.is_empty() || problems.join("\n").contains(expected),
            "{problems:?}"
        );

        // One line for one entry, whatever its name is.
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("image"), &image).unwrap();
        for arguments in [
            &["list", "image"][..],
            &["verify", "image"],
            &["extract", "image", "out", "-v"],
        ] {
            let output = Command::new(env!("CARGO_BIN_EXE_packer"))
                .args(arguments)
                .current_dir(&directory)
                .output()
                .unwrap();
            let text = [output.stdout, output.stderr].concat();
            assert!(
                text.iter().filter(|&&byte| byte == b'\n').count() <= 3,
                "{arguments:?}"
            );
            let is_printable = |byte: &u8| *byte == b'\n' || (b' '..0x7f).contains(byte);
            assert!(text.iter().all(is_printable), "{}", text.escape_ascii());
        }
    }
}

/// What is no file is an error, and what grows is read as far as it is there.
#[test]
fn odd_files() {
    let directory = tempfile::tempdir().unwrap();
    for command in ["list", "verify", "cat"] {
        for (path, expected) in [
            ("/", "Is a directory"),
            ("/dev/null", "the file is empty"),
            ("nothing", "No such file or directory"),
        ] {
            let output = Command::new(env!("CARGO_BIN_EXE_packer"))
                .args([command, path])
                .args((command == "cat").then_some("f"))
                .current_dir(&directory)
                .output()
                .unwrap();
            let error = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{command} {path}");
            assert!(
                error.starts_with(path) && error.contains(expected),
                "{command}: {error}"
            );
        }
    }
    // A reader that gives more with each read, as a file that grows does.
    struct Growing(Vec<u8>, usize);
    impl std::io::Read for Growing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let end = (self.1 + 7).min(self.0.len());
            let read = (&self.0[self.1..end]).read(buffer)?;
            self.1 += read;
            Ok(read)
        }
    }
    for (name, image) in all() {
        let whole = Manifest::of_image(&image[..]).unwrap();
        assert_eq!(
            Manifest::of_image(Growing(image, 0)).unwrap(),
            whole,
            "{name}"
        );
    }
}
