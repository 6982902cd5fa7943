//! What packer writes is what others read, and the other way round: every archiver's archive of one
//! tree is unpacked by every archiver, and the tree has to be the same again.
//!
//! The others are GNU cpio, bsdcpio (libarchive-tools) and 3cpio; they have to be on PATH. The
//! kernel's turn is in `checks/packer/unpack.nix`.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

struct Archiver {
    name: &'static str,
    /// Run by a shell in the tree, $1 being the archive to write.
    create: &'static str,
    /// Run by a shell in an empty directory, $1 being the archive to read.
    extract: &'static str,
    /// Whether it takes names that are not UTF-8 or have a newline in them, and keeps hard links of
    /// empty files.
    complete: bool,
}

const ARCHIVERS: [Archiver; 4] = [
    Archiver {
        name: "packer",
        create: r#""$PACKER" create "$1" --tree . --compress none"#,
        extract: r#""$PACKER" extract "$1" ."#,
        complete: true,
    },
    Archiver {
        name: "GNU cpio",
        create: r#"find . -print0 | "$CPIO" --null --quiet -o -H newc >"$1""#,
        extract: r#""$CPIO" --quiet --make-directories -i <"$1""#,
        complete: true,
    },
    Archiver {
        name: "bsdcpio",
        create: r#"find . -print0 | "$BSDCPIO" --null --quiet -o -H newc >"$1""#,
        extract: r#""$BSDCPIO" --quiet --make-directories -i <"$1""#,
        complete: true,
    },
    Archiver {
        name: "3cpio",
        create: r#"find . | "$THREECPIO" --create "$1""#,
        extract: r#""$THREECPIO" --extract "$1""#,
        complete: false,
    },
];

#[test]
fn everybody_reads_what_anybody_writes() {
    for complete in [true, false] {
        let tree = tree(complete);
        let expected = state(tree.path());
        let archivers = || {
            ARCHIVERS
                .iter()
                .filter(|archiver| archiver.complete || !complete)
        };
        for writer in archivers() {
            let archive = TempDir::new().unwrap();
            let archive = archive.path().join("archive");
            run(writer.create, &archive, tree.path());
            for reader in archivers() {
                let unpacked = TempDir::new().unwrap();
                run(reader.extract, &archive, unpacked.path());
                let found = state(unpacked.path());
                let (writer, reader) = (writer.name, reader.name);
                for (path, entry) in &expected {
                    let found = found.get(path);
                    let what = format!("{path:?}, written by {writer}, read by {reader}");
                    assert_eq!(found, Some(entry), "{what}");
                }
                let count = found.len();
                assert_eq!(
                    count,
                    expected.len(),
                    "entries by {writer}, read by {reader}"
                );
            }
        }
    }
}

/// A tree with every kind of entry that the user may make.
fn tree(complete: bool) -> TempDir {
    let tree = TempDir::new().unwrap();
    let path = |name: &str| tree.path().join(name);
    for size in [0, 1, 2, 3, 4, 511, 512, 513, 70_000] {
        let bytes: Vec<_> = (0..size).map(|i: u64| ((i * i) >> 5) as u8).collect();
        fs::write(path(&format!("size-{size}")), bytes).unwrap();
    }
    fs::create_dir_all(path("deep/er/and/deeper")).unwrap();
    fs::write(path("deep/er/and/deeper").join("n".repeat(255)), "long").unwrap();
    for name in ["a b", "größe", "-n", "\"quoted\"", "#", "TRAILER!!!.not"] {
        fs::write(path(name), name).unwrap();
    }
    if complete {
        fs::write(path("new\nline"), "").unwrap();
        let name = std::ffi::OsStr::from_bytes(b"\xff\xfe");
        fs::write(tree.path().join(name), "bytes").unwrap();
        fs::write(path("empty-1"), "").unwrap();
        fs::hard_link(path("empty-1"), path("empty-2")).unwrap();
    }
    symlink("size-4", path("relative")).unwrap();
    symlink("/etc/passwd", path("absolute")).unwrap();
    symlink("nowhere/at/all", path("deep/dangling")).unwrap();
    fs::write(path("link-2"), "linked").unwrap();
    fs::hard_link(path("link-2"), path("link-1")).unwrap();
    fs::hard_link(path("link-2"), path("deep/link-3")).unwrap();
    run("mkfifo fifo", Path::new(""), tree.path());
    if rustix::process::geteuid().is_root() {
        let nodes = "mknod char c 511 70000 && mknod block b 259 1048575";
        run(nodes, Path::new(""), tree.path());
    }
    // No set-user-ID bits: Nix's sandbox does not allow them. checks/packer/unpack.nix has some.
    for (name, mode) in [("size-1", 0o400), ("size-2", 0o755), ("deep/er", 0o1700)] {
        fs::set_permissions(path(name), Permissions::from_mode(mode)).unwrap();
    }
    tree
}

fn run(script: &str, archive: &Path, directory: &Path) {
    let output = Command::new("sh")
        // Without pipefail, but a find that fails is seen by what is missing.
        .args(["-euc", script, "sh"])
        .arg(archive)
        .current_dir(directory)
        .env("PACKER", env!("CARGO_BIN_EXE_packer"))
        .env("CPIO", program("cpio"))
        .env("BSDCPIO", program("bsdcpio"))
        .env("THREECPIO", program("3cpio"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{script}: {}\n{stderr}",
        output.status
    );
}

/// Where in PATH `name` is. A shell that is busybox would run its own cpio for that name.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|directory| directory.join(name));
    places
        .find(|place| place.is_file())
        .unwrap_or_else(|| panic!("{name} is not in PATH: GNU cpio, bsdcpio and 3cpio are needed"))
}

/// What there is to know about everything in `directory`, by path: mode, link count, device,
/// contents.
fn state(directory: &Path) -> BTreeMap<PathBuf, (u32, u64, u64, Vec<u8>)> {
    let mut state = BTreeMap::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let file_type = metadata.file_type();
            let mut links = metadata.nlink();
            let mut device = 0;
            let mut contents = Vec::new();
            if file_type.is_dir() {
                directories.push(path.clone());
                links = 0; // Some file systems count subdirectories, some do not.
            } else if file_type.is_symlink() {
                contents = fs::read_link(&path)
                    .unwrap()
                    .as_os_str()
                    .as_bytes()
                    .to_vec();
            } else if file_type.is_file() {
                contents = fs::read(&path).unwrap();
            } else if file_type.is_char_device() || file_type.is_block_device() {
                device = metadata.rdev();
            }
            let name = path.strip_prefix(directory).unwrap().to_owned();
            state.insert(name, (metadata.mode(), links, device, contents));
        }
    }
    state
}
