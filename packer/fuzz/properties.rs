//! Properties of reading and extracting any bytes. The fuzzer searches for bytes that violate them.
//! `packer/tests/corpus.rs` checks them for the corpus.

use packer::extract::{ExtractOptions, extract};
use packer::reader::{Item, Reader};
use packer::verify::verify;
use packer::{Error, Manifest, diff};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The largest size of all archives to test. A few bytes can unpack to more, which only takes long.
const ENOUGH: u64 = 64 << 20;

/// Reading ends without a panic, and all ways to read give the same result.
pub fn reader(image: &[u8]) {
    let Some(result) = contents(image) else {
        return;
    };
    let manifest = Manifest::of_image(image);
    assert_eq!(result.is_ok(), manifest.is_ok());
    let report = verify(image, None).unwrap();
    let Ok(manifest) = manifest else {
        assert_ne!(report.problems, [""; 0]);
        return;
    };
    assert_eq!(report.size, image.len() as u64);
    assert_eq!(manifest.image.size, image.len() as u64);
    assert_eq!(report.archives, manifest.archives.len());
    assert!(report.entries >= manifest.entries.len());
    assert!(
        manifest
            .archives
            .iter()
            .all(|archive| archive.offset < manifest.image.size)
    );

    let mut json = Vec::new();
    manifest.write(&mut json).unwrap();
    let read_back = Manifest::read_json(&json[..]).unwrap();
    assert_eq!(read_back, manifest);
    assert_eq!(diff::compare(&manifest, &read_back, ["a", "b"]), [""; 0]);
    let problems = verify(image, Some(&manifest)).unwrap().problems;
    assert_eq!(problems, report.problems);
}

/// The size of all archives. `None` if it exceeds [`ENOUGH`].
fn contents(image: &[u8]) -> Option<Result<u64, Error>> {
    let mut reader = Reader::new(image);
    let mut size = 0;
    loop {
        match reader.next_item() {
            Ok(Some(Item::Entry(_))) => {}
            Ok(Some(Item::Archive(archive))) => {
                size += archive.size;
                continue;
            }
            Ok(None) => return Some(Ok(size)),
            Err(error) => return Some(Err(error)),
        }
        match io::copy(&mut reader.contents(), &mut io::sink()) {
            Ok(copied) => size += copied,
            Err(error) => return Some(Err(Error::Input(error))),
        }
        if size > ENOUGH {
            return None;
        }
    }
}

/// Extracting does not panic and does not change files outside. If `verify` finds no problem, the extraction
/// reports only entries that it documents not to extract.
pub fn extraction(image: &[u8]) {
    if contents(image).is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("victim"), "precious").unwrap();
    let before = fs::metadata(path("victim")).unwrap();
    let mut reports = Vec::new();
    let result = extract(
        image,
        &path("inside"),
        ExtractOptions::default(),
        &mut |error: Error| {
            reports.push(error.to_string());
        },
    );

    assert_eq!(fs::read(path("victim")).unwrap(), b"precious");
    let after = fs::metadata(path("victim")).unwrap();
    assert_eq!(changed(&before), changed(&after));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);

    open_directories(&path("inside"));
    let report = verify(image, None).unwrap();
    if report.problems.is_empty() {
        assert!(result.is_ok(), "{result:?}");
        let ours = [
            "leads through",
            "which only root can make",
            "cannot belong to",
            // There is no error for a path that is too long together with `inside`, because no system call
            // gets the whole path.
        ];
        for report in reports {
            assert!(
                ours.iter().any(|reason| report.contains(reason)),
                "{report}"
            );
        }
    }
}

/// Gives the owner access to all directories, to read and to remove them.
pub fn open_directories(directory: &Path) {
    if fs::set_permissions(directory, Permissions::from_mode(0o700)).is_err() {
        return;
    }
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            open_directories(&entry.path());
        }
    }
}

/// Attributes that cannot be set, and that change whenever the file is changed.
fn changed(metadata: &fs::Metadata) -> (i64, i64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ctime(), metadata.ctime_nsec(), metadata.nlink())
}
