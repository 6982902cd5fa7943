//! Properties of every archive, for generated trees.

use bstr::{BString, ByteSlice};
use packer::{Device, Entry, Kind, Manifest, Owner, Tree, archive, manifest};
use proptest::collection::vec;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use tempfile::TempDir;

/// A file on disk.
#[derive(Clone, Debug)]
enum Item {
    Directory,
    File(usize),
    /// Another name for a file. The number selects the file.
    HardLink(prop::sample::Index),
    Symlink(Vec<u8>),
    Fifo,
}

/// A file in an archive.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    /// With the type.
    mode: u32,
    owner: (u32, u32),
    rdev: (u32, u32),
    contents: Vec<u8>,
    /// All names of the same file, including this one.
    names: BTreeSet<Vec<u8>>,
}

/// Few letters, so that paths collide, including letters that sort before and after the slash; and any bytes.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let byte = (1..=255u8).prop_filter("separates names", |&byte| byte != b'/');
    let few = prop::sample::select(&b"ab-.0 \n\xff"[..]);
    prop_oneof![3 => vec(few, 1..3), 1 => vec(byte, 1..12)]
        .prop_filter("have a meaning", |name| name != b"." && name != b"..")
}

fn path() -> impl Strategy<Value = Vec<u8>> {
    vec(name(), 1..4).prop_map(|names| names.join(&b'/'))
}

/// Sizes around the multiples to which newc pads.
fn size() -> impl Strategy<Value = usize> {
    let multiple = prop::sample::select(&[4usize, 8, 108, 512, 4096, 16384][..]);
    prop_oneof![
        Just(0),
        (multiple, 0..7usize).prop_map(|(size, more)| size + more - 3)
    ]
}

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        2 => Just(Item::Directory),
        4 => size().prop_map(Item::File),
        2 => any::<prop::sample::Index>().prop_map(Item::HardLink),
        1 => vec(1..=255u8, 1..20).prop_map(Item::Symlink),
        1 => Just(Item::Fifo),
    ]
}

/// Paths, files and permission bits. The user must be able to read the files, and Nix's sandbox does not allow
/// set-user-ID and set-group-ID.
fn items() -> impl Strategy<Value = Vec<(Vec<u8>, Item, u32)>> {
    let mode = (0..=0o1777u32).prop_map(|mode| mode | 0o700);
    vec((path(), item(), mode), 0..24)
}

/// Entries that only root could make on disk: names below `explicit`, device, owner, permission bits.
fn explicit() -> impl Strategy<Value = Vec<(Vec<u8>, Entry)>> {
    let device = (0..=Device::MAJOR_MAX, 0..=Device::MINOR_MAX)
        .prop_map(|(major, minor)| Device::new(major, minor).unwrap());
    let kind = prop_oneof![
        device.clone().prop_map(Kind::CharDevice),
        device.prop_map(Kind::BlockDevice),
        Just(Kind::Socket),
        Just(Kind::Fifo),
        Just(Kind::Directory),
    ];
    let owner = (any::<u32>(), any::<u32>()).prop_map(|(uid, gid)| Owner { uid, gid });
    let entry = (0..=0o7777u32, owner, kind).prop_map(|(mode, owner, kind)| Entry {
        mode: Some(mode),
        owner,
        mtime: None,
        kind,
    });
    vec((name(), entry), 0..6)
}

fn contents(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n * 31 + size) as u8).collect()
}

/// A file that was made on disk.
#[derive(Clone)]
struct Made {
    /// With the type.
    mode: u32,
    contents: Vec<u8>,
    /// The name under which a file was made.
    file: Option<Vec<u8>>,
}

impl Made {
    fn new(mode: u32, contents: &[u8], file: Option<&Vec<u8>>) -> Self {
        Self {
            mode,
            contents: contents.to_owned(),
            file: file.cloned(),
        }
    }
}

/// Makes those of the items that can exist together in `top`, and returns them.
fn make(top: &Path, items: &[(Vec<u8>, Item, u32)]) -> BTreeMap<Vec<u8>, Found> {
    let mut made = BTreeMap::<Vec<u8>, Made>::new();
    let mut files: Vec<Vec<u8>> = Vec::new();
    for (path, item, mode) in items {
        let on_disk = top.join(OsStr::from_bytes(path));
        // Never through a symbolic link: it may lead anywhere on the machine.
        let mut parents = path.find_iter("/").map(|end| &path[..end]);
        let reachable = parents.all(|parent| match made.get(parent) {
            Some(Made { mode, .. }) => mode & 0o170000 == 0o040000,
            None => {
                fs::create_dir(top.join(OsStr::from_bytes(parent))).unwrap();
                made.insert(parent.to_owned(), Made::new(0o040755, b"", None));
                true
            }
        });
        if !reachable || made.contains_key(path) {
            continue;
        }
        let made_now = match item {
            Item::Directory => {
                fs::create_dir(&on_disk).unwrap();
                Made::new(0o040000 | mode, b"", None)
            }
            Item::File(size) => {
                let contents = contents(*size);
                fs::write(&on_disk, &contents).unwrap();
                files.push(path.clone());
                Made::new(0o100000 | mode, &contents, Some(path))
            }
            Item::HardLink(_) if files.is_empty() => continue,
            Item::HardLink(index) => {
                let file = index.get(&files);
                fs::hard_link(top.join(OsStr::from_bytes(file)), &on_disk).unwrap();
                made[file].clone()
            }
            Item::Symlink(target) => {
                symlink(OsStr::from_bytes(target), &on_disk).unwrap();
                Made::new(0o120777, target, None)
            }
            Item::Fifo => {
                let bits = rustix::fs::Mode::from_raw_mode(0o600);
                rustix::fs::mkfifoat(rustix::fs::CWD, &on_disk, bits).unwrap();
                Made::new(0o010000 | mode, b"", None)
            }
        };
        made.insert(path.clone(), made_now);
    }
    // Set the modes at the end: the umask has changed them, and directories had to be writable.
    for (path, Made { mode, .. }) in &made {
        if mode & 0o170000 != 0o120000 {
            let permissions = Permissions::from_mode(mode & 0o7777);
            fs::set_permissions(top.join(OsStr::from_bytes(path)), permissions).unwrap();
        }
    }
    let names_of = |path: &Vec<u8>, file: &Option<Vec<u8>>| match file {
        None => BTreeSet::from([path.clone()]),
        file => {
            let same = made.iter().filter(|(_, other)| other.file == *file);
            same.map(|(name, _)| name.clone()).collect()
        }
    };
    let found = |(path, made): (&Vec<u8>, &Made)| {
        let found = Found {
            mode: made.mode,
            owner: (0, 0),
            rdev: (0, 0),
            contents: made.contents.clone(),
            names: names_of(path, &made.file),
        };
        (path.clone(), found)
    };
    made.iter().map(found).collect()
}

/// Reads an archive as buffer-format.rst describes it. Returns the entries in their order, without the trailer.
fn read(archive: &[u8]) -> Vec<(Vec<u8>, Found)> {
    let mut entries = Vec::new();
    let mut inodes: BTreeMap<u32, (BTreeSet<Vec<u8>>, Vec<u8>)> = BTreeMap::new();
    let mut rest = archive;
    loop {
        assert_eq!(rest[..6], *b"070701");
        let field = |n: usize| {
            let digits = std::str::from_utf8(&rest[6 + n * 8..][..8]).unwrap();
            u32::from_str_radix(digits, 16).unwrap()
        };
        let name = &rest[110..][..field(11) as usize];
        let name = name.strip_suffix(b"\0").unwrap().to_owned();
        let start = (110 + name.len() + 1).next_multiple_of(4);
        let contents = rest[start..][..field(6) as usize].to_owned();
        let end = (start + contents.len()).next_multiple_of(4);
        if name == b"TRAILER!!!" {
            assert!(rest[end..].iter().all(|&byte| byte == 0) && rest.len() - end < 512);
            break;
        }
        let names = inodes.entry(field(0)).or_default();
        names.0.insert(name.clone());
        if !contents.is_empty() {
            assert!(names.1.is_empty(), "contents are there once");
            names.1 = contents;
        }
        let found = Found {
            mode: field(1),
            owner: (field(2), field(3)),
            rdev: (field(9), field(10)),
            contents: Vec::new(),
            names: BTreeSet::new(),
        };
        entries.push((name, found, field(0), field(4)));
        rest = &rest[end..];
    }
    let whole = |(name, found, ino, nlink): (Vec<u8>, Found, u32, u32)| {
        let (names, contents) = inodes[&ino].clone();
        if found.mode & 0o170000 == 0o100000 {
            assert_eq!(nlink as usize, names.len());
        }
        let found = Found {
            contents,
            names,
            ..found
        };
        (name, found)
    };
    entries.into_iter().map(whole).collect()
}

/// The names in an archive, read with an independent library, which needs them to be text.
fn names_by_cpio(archive: &[u8]) -> Vec<String> {
    let mut rest = archive;
    let mut names = Vec::new();
    loop {
        let mut reader = cpio::NewcReader::new(rest).unwrap();
        if reader.entry().is_trailer() {
            return names;
        }
        reader.read_to_end(&mut Vec::new()).unwrap();
        names.push(reader.entry().name().to_owned());
        rest = reader.finish().unwrap();
    }
}

/// The entries that packer's reader should return for the archive.
fn expected_manifest(expected: &BTreeMap<Vec<u8>, Found>) -> Vec<manifest::ManifestEntry> {
    let absolute = |path: &[u8]| match path {
        b"." => BString::from("/"),
        path => [b"/", path].concat().into(),
    };
    let entry = |(path, found): (&Vec<u8>, &Found)| {
        let Found { contents, rdev, .. } = found;
        let (major, minor) = *rdev;
        let kind = match found.mode & 0o170000 {
            0o100000 => manifest::ManifestKind::File {
                size: contents.len() as u64,
                sha256: format!("{:x}", Sha256::digest(contents)),
                hard_link_to: found
                    .names
                    .first()
                    .filter(|first| *first != path)
                    .map(|first| absolute(first)),
            },
            0o120000 => manifest::ManifestKind::Symlink {
                target: contents.clone().into(),
            },
            0o040000 => manifest::ManifestKind::Directory,
            0o020000 => manifest::ManifestKind::CharDevice { major, minor },
            0o060000 => manifest::ManifestKind::BlockDevice { major, minor },
            0o010000 => manifest::ManifestKind::Fifo,
            _ => manifest::ManifestKind::Socket,
        };
        manifest::ManifestEntry {
            path: absolute(path),
            archive: 0,
            mode: found.mode & 0o7777,
            uid: found.owner.0,
            gid: found.owner.1,
            mtime: 0,
            kind,
        }
    };
    let (root, below): (Vec<_>, Vec<_>) = expected.iter().partition(|(path, _)| *path == b".");
    root.into_iter().chain(below).map(entry).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_goes_in_comes_out(items in items(), explicit in explicit(), other_order in any::<bool>()) {
        // In memory if possible, because a disk would take most of the time.
        let directory = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
        let mut expected = make(directory.path(), &items);
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();

        let mut tree = Tree::new();
        let walk = |tree: &mut Tree| tree.insert_directory(directory.path(), b"/").unwrap();
        if other_order {
            walk(&mut tree);
        }
        let found = |mode, owner, rdev, path: &[u8]| Found {
            mode,
            owner,
            rdev,
            contents: Vec::new(),
            names: BTreeSet::from([path.to_owned()]),
        };
        for (name, entry) in &explicit {
            // The name is too long for the disk.
            let path = [b"explicit-entries/", &name[..]].concat();
            if tree.insert(&path, entry.clone()).is_err() {
                continue; // Another entry has the same name.
            }
            expected.insert(b"explicit-entries".to_vec(), found(0o040755, (0, 0), (0, 0), b"explicit-entries"));
            let (file_type, rdev) = match entry.kind {
                Kind::CharDevice(device) => (0o020000, (device.major(), device.minor())),
                Kind::BlockDevice(device) => (0o060000, (device.major(), device.minor())),
                Kind::Socket => (0o140000, (0, 0)),
                Kind::Fifo => (0o010000, (0, 0)),
                _ => (0o040000, (0, 0)),
            };
            let mode = file_type | entry.mode.unwrap();
            let owner = (entry.owner.uid, entry.owner.gid);
            expected.insert(path.clone(), found(mode, owner, rdev, &path));
        }
        if !other_order {
            walk(&mut tree);
        }
        expected.insert(b".".to_vec(), found(0o040755, (0, 0), (0, 0), b"."));

        let archive = archive::write(&tree, 0, Vec::new()).unwrap();
        prop_assert_eq!(archive.len() % 512, 0);
        prop_assert_eq!(&archive::write(&tree, 0, Vec::new()).unwrap(), &archive, "once more");

        let entries = read(&archive);
        // The root is the empty path, and comes first.
        prop_assert_eq!(&entries[0].0, b".");
        prop_assert!(entries[1..].is_sorted_by(|(a, _), (b, _)| a < b), "sorted by bytes");
        let mut seen = BTreeSet::new();
        for (path, _) in &entries {
            for end in path.find_iter("/") {
                prop_assert!(seen.contains(&path[..end]), "a parent comes first");
            }
            seen.insert(&path[..]);
        }

        if let Ok(names) = entries.iter().map(|(path, _)| path.to_str()).collect::<Result<Vec<_>, _>>() {
            prop_assert_eq!(names_by_cpio(&archive), names);
        }
        let manifest = Manifest::of_image(&archive[..]).unwrap();
        prop_assert_eq!(manifest.entries, expected_manifest(&expected));
        prop_assert_eq!(entries.into_iter().collect::<BTreeMap<_, _>>(), expected);
    }
}
