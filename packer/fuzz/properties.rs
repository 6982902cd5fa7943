//! What holds for any bytes that are said to be an image. The fuzzer looks for bytes for which it does
//! not; `packer/tests/corpus.rs` checks it for the corpus.

use packer::extract::{ExtractOptions, extract};
use packer::reader::{Item, Reader};
use packer::verify::verify;
use packer::{Error, Manifest, diff};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Of reading. More than this may come out of a few bytes, which only takes long.
const ENOUGH: u64 = 64 << 20;

/// Reading does not panic, ends, and says the same in all ways.
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

/// How many bytes all files together have. `None` if that is enough.
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

/// Extracting does not panic and leaves alone what is outside, and what it reports are entries that
/// `verify` finds wrong, too, or that it says are not extracted.
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
            // Of a path that is longer than the path of `inside` leaves room for: never, as it is not
            // one path that is given to the system.
        ];
        for report in reports {
            assert!(
                ours.iter().any(|reason| report.contains(reason)),
                "{report}"
            );
        }
    }
}

/// Lets their owner look into all directories, and remove them.
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

/// What cannot be set: it tells of changes of any kind.
fn changed(metadata: &fs::Metadata) -> (i64, i64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ctime(), metadata.ctime_nsec(), metadata.nlink())
}
