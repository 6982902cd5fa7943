//! Packs directories of this machine.

use packer::{Device, Entry, Kind, Owner, Tree, archive};
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const STORE_NAME: &str = "ic1iym50wnz98avdqkf47pjjkbyzc6ys-a";

fn set_mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// An empty directory with mode 0755, on the file system of `parent`.
fn directory_in(parent: &Path) -> TempDir {
    let directory = TempDir::new_in(parent).unwrap();
    set_mode(&directory, 0o755);
    directory
}

fn directory() -> TempDir {
    directory_in(&std::env::temp_dir())
}

/// Makes a file and the directories on the way to it.
fn file(path: impl AsRef<Path>, contents: &str) -> PathBuf {
    let path = path.as_ref();
    for parent in path.ancestors().skip(1) {
        if !parent.exists() {
            fs::create_dir_all(parent).unwrap();
            set_mode(parent, 0o755);
        }
    }
    fs::write(path, contents).unwrap();
    set_mode(path, 0o644);
    path.to_owned()
}

fn fifo(path: &Path) {
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, path, mode).unwrap();
}

fn tree(directory: impl AsRef<Path>) -> Tree {
    let mut tree = Tree::new();
    tree.insert_directory(directory.as_ref(), b"/").unwrap();
    tree
}

fn error(directory: impl AsRef<Path>, at: &str) -> String {
    let mut tree = Tree::new();
    let result = tree.insert_directory(directory.as_ref(), at.as_bytes());
    result.unwrap_err().to_string()
}

/// The entries without the root, and without sources, which depend on where the test runs.
fn listing(tree: &Tree) -> Vec<String> {
    let show = |(path, entry): (&bstr::BStr, &Entry)| {
        let mode = entry.mode.map(|mode| format!(" {mode:04o}"));
        let what = match &entry.kind {
            Kind::Directory => "directory".into(),
            Kind::File { .. } => "file".into(),
            Kind::HardLink { file } => format!("link to {file:?}"),
            Kind::Symlink { target } => format!("-> {target:?}"),
            kind => format!("{kind:?}"),
        };
        assert_eq!(entry.owner, Owner::ROOT);
        format!("{path:?}{}: {what}", mode.unwrap_or_default())
    };
    let entries = tree.entries().filter(|(path, _)| *path != ".");
    entries.map(show).collect()
}

fn bytes(directory: impl AsRef<Path>) -> Vec<u8> {
    archive::write(&tree(directory), 0, Vec::new()).unwrap()
}

#[test]
fn everything_is_as_it_is_on_disk() {
    let directory = directory();
    let path = |name: &[u8]| directory.path().join(OsStr::from_bytes(name));
    fs::create_dir(path(b"empty")).unwrap();
    set_mode(path(b"empty"), 0o1777);
    set_mode(file(path(b"bin/sh"), "#!"), 0o755);
    set_mode(file(path(b"secret"), ""), 0);
    file(path(b"not\xffUTF-8 \n"), "x");
    symlink(OsStr::from_bytes(b"../no/\xff/such"), path(b"bin/dangling")).unwrap();
    symlink(".", path(b"loop")).unwrap();
    fifo(&path(b"fifo"));
    set_mode(path(b"fifo"), 0o620);

    let expected = [
        r#""bin" 0755: directory"#,
        r#""bin/dangling": -> "../no/\xff/such""#,
        r#""bin/sh" 0755: file"#,
        r#""empty" 1777: directory"#,
        r#""fifo" 0620: Fifo"#,
        r#""loop": -> ".""#,
        r#""not\xffUTF-8 \n" 0644: file"#,
        r#""secret" 0000: file"#,
    ];
    assert_eq!(listing(&tree(&directory)), expected);
    let kind = Kind::File {
        source: path(b"not\xffUTF-8 \n"),
    };
    let mut entries = tree(&directory);
    let entry = Entry {
        mode: Some(0o644),
        ..Entry::new(kind)
    };
    entries.insert(b"not\xffUTF-8 \n", entry).unwrap();
}

#[test]
fn all_permission_bits_are_kept() {
    let directory = directory();
    let su = file(directory.path().join("su"), "#!");
    // Nix's sandbox does not allow it.
    if fs::set_permissions(&su, Permissions::from_mode(0o6711)).is_ok() {
        assert_eq!(listing(&tree(&directory)), [r#""su" 6711: file"#]);
    }
}

#[test]
fn it_goes_where_it_is_told() {
    let directory = directory();
    file(directory.path().join("x/y"), "");
    set_mode(&directory, 0o750);
    let root = tree(&directory);
    let first = root.entries().next().unwrap();
    assert_eq!((first.0.as_ref(), first.1.mode), (&b"."[..], Some(0o750)));

    for at in ["/a/b", "a/b", "a/b/"] {
        let mut tree = Tree::new();
        tree.insert_directory(directory.path(), at.as_bytes())
            .unwrap();
        let expected = [
            r#""a": directory"#,
            r#""a/b" 0750: directory"#,
            r#""a/b/x" 0755: directory"#,
            r#""a/b/x/y" 0644: file"#,
        ];
        assert_eq!(listing(&tree), expected);
    }
}

#[test]
fn the_directory_itself_may_be_a_link() {
    let directory = directory();
    file(directory.path().join("real/x"), "");
    let link = directory.path().join("link");
    symlink("real", &link).unwrap();
    assert_eq!(listing(&tree(&link)), [r#""x" 0644: file"#]);
    assert_eq!(bytes(&link), bytes(directory.path().join("real")));
}

#[test]
fn the_names_of_a_file_stay_together() {
    let directory = directory();
    let path = |name: &str| directory.path().join(name);
    file(path("d/x"), "one");
    // This sorts before `d/x` by path, but comes later if directories are listed one after the other.
    for name in ["d-first", "z"] {
        fs::hard_link(path("d/x"), path(name)).unwrap();
    }
    // Its other name is elsewhere.
    let outside = self::directory();
    file(path("alone"), "two");
    fs::hard_link(path("alone"), outside.path().join("x")).unwrap();
    // A symbolic link with two names becomes two links, because newc has no hard links of symbolic links.
    symlink("target", path("l1")).unwrap();
    fs::hard_link(path("l1"), path("l2")).unwrap();

    let expected = [
        r#""alone" 0644: file"#,
        r#""d" 0755: directory"#,
        r#""d-first" 0644: file"#,
        r#""d/x": link to "d-first""#,
        r#""l1": -> "target""#,
        r#""l2": -> "target""#,
        r#""z": link to "d-first""#,
    ];
    assert_eq!(listing(&tree(&directory)), expected);

    let mut below = Tree::new();
    below.insert_directory(directory.path(), b"/a/").unwrap();
    let listing = listing(&below);
    assert!(
        listing.contains(&r#""a/z": link to "a/d-first""#.into()),
        "{listing:?}"
    );
    archive::write(&below, 0, Vec::new()).unwrap();
}

/// `nix-store --optimise` must not change the result.
#[test]
fn link_counts_in_a_store_mean_nothing() {
    let make = |directory: &TempDir, optimised| {
        let store = directory.path().join("nix/store");
        let one = file(store.join(STORE_NAME).join("one"), "same");
        for two in [format!("{STORE_NAME}/two"), format!("{STORE_NAME}-file")] {
            let two = store.join(two);
            match optimised {
                true => fs::hard_link(&one, two).unwrap(),
                false => drop(file(two, "same")),
            }
        }
    };
    let [plain, optimised] = [false, true].map(|optimised| {
        let directory = directory();
        make(&directory, optimised);
        directory
    });
    assert_eq!(bytes(&plain), bytes(&optimised));
    assert!(
        listing(&tree(&optimised))
            .iter()
            .all(|entry| !entry.contains("link"))
    );
    // For a symbolic link to the store, or into it, the real path counts.
    let link = plain.path().join("link");
    symlink(optimised.path().join("nix/store").join(STORE_NAME), &link).unwrap();
    assert_eq!(
        listing(&tree(&link)),
        [r#""one" 0644: file"#, r#""two" 0644: file"#]
    );
}

#[test]
fn what_only_looks_like_a_store() {
    for name in [
        "nix/stores/ic1iym50wnz98avdqkf47pjjkbyzc6ys-a",
        "store/ic1iym50-a",
        "store/x",
    ] {
        let directory = directory();
        let one = file(directory.path().join(name).join("one"), "same");
        fs::hard_link(&one, one.with_file_name("two")).unwrap();
        let listing = listing(&tree(&directory));
        assert!(
            listing.iter().any(|entry| entry.contains("link")),
            "{listing:?}"
        );
    }
}

#[test]
fn how_it_came_to_be_does_not_matter() {
    let names: Vec<_> = (0..40)
        .map(|n| format!("{}/f{}", n % 3, n * 7919 % 101))
        .collect();
    let make = |parent: &Path, names: &mut dyn Iterator<Item = &String>| {
        let directory = directory_in(parent);
        for name in names {
            file(directory.path().join(name), name);
        }
        bytes(&directory)
    };
    let temp = std::env::temp_dir();
    let expected = make(&temp, &mut names.iter());
    assert_eq!(make(&temp, &mut names.iter().rev()), expected);
    // tmpfs lists the newest file first.
    let shm = Path::new("/dev/shm");
    if TempDir::new_in(shm).is_ok() {
        assert_eq!(make(shm, &mut names.iter()), expected);
    }
}

/// Runs the program, because the umask belongs to the process, in which other tests run, too.
#[test]
fn the_umask_does_not_matter() {
    let directory = directory();
    set_mode(file(directory.path().join("tree/bin/x"), "#!"), 0o775);
    fs::create_dir(directory.path().join("out")).unwrap();
    let images = ["000", "077"].map(|umask| {
        let mut shell = Command::new("sh");
        shell.args(["-c", r#"umask $0; exec "$@""#, umask]);
        shell.args([env!("CARGO_BIN_EXE_packer"), "create", "out/image"]);
        shell.args(["--tree", "tree", "--compress", "none"]);
        let status = shell.current_dir(&directory).status().unwrap();
        assert!(status.success(), "{shell:?}: {status}");
        fs::read(directory.path().join("out/image")).unwrap()
    });
    assert_eq!(images[0], images[1]);
    assert_eq!(images[0], bytes(directory.path().join("tree")));
}

#[test]
fn devices_have_their_numbers() {
    let directory = directory();
    for (name, file_type, major, minor) in [
        ("console", rustix::fs::FileType::CharacterDevice, 5, 1),
        ("disk", rustix::fs::FileType::BlockDevice, 4095, 1048575),
    ] {
        let device = rustix::fs::makedev(major, minor);
        let path = directory.path().join(name);
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        if rustix::fs::mknodat(rustix::fs::CWD, &path, file_type, mode, device).is_err() {
            return; // Only root can make devices, and not everywhere.
        }
    }
    let tree = tree(&directory);
    let kinds: Vec<_> = tree
        .entries()
        .skip(1)
        .map(|(_, entry)| &entry.kind)
        .collect();
    let console = Kind::CharDevice(Device::new(5, 1).unwrap());
    let disk = Kind::BlockDevice(Device::new(4095, 1048575).unwrap());
    assert_eq!(kinds, [&console, &disk]);
}

#[test]
fn what_cannot_be_packed() {
    let directory = directory();
    let top = directory.path().display();
    let path = |name: &str| directory.path().join(name);

    let none = path("none");
    assert_eq!(
        error(&none, "/"),
        format!("{top}/none: No such file or directory (os error 2)")
    );
    let plain = file(path("file"), "");
    assert_eq!(
        error(&plain, "/"),
        format!("{top}/file: is not a directory")
    );
    assert_eq!(
        error(&directory, "/a/../b"),
        "/a/../b: a path in the archive cannot contain `..`"
    );
    assert_eq!(
        error(&directory, ""),
        "\"\": a path in the archive cannot be empty"
    );

    file(path("d/x"), "");
    let sockets = ["d/socket", "d-socket"].map(|name| UnixListener::bind(path(name)).unwrap());
    let socket = "is a socket, which means nothing without the program that listens on it; \
                  remove it, or add it with `sock` in a list";
    let all = "has 2 sockets in it, which mean nothing without the program that listens on them; \
               remove them, or add them with `sock` in a list: d-socket, d/socket";
    assert_eq!(error(&directory, "/"), format!("{top}: {all}"));
    assert_eq!(error(path("d"), "/"), format!("{top}/d/socket: {socket}"));
    drop(sockets);
    // The first error by path is returned.
    let mut tree = Tree::new();
    for name in ["f/b", "f/a"] {
        file(path(name), "");
        tree.insert(name, Entry::new(Kind::Fifo)).unwrap();
    }
    let twice = tree.insert_directory(directory.path(), b"/").unwrap_err();
    assert_eq!(twice.to_string(), "/f/a: is there already, as a FIFO");

    file(path("e/TRAILER!!!"), "");
    let trailer = "this name marks the end of an archive; use another";
    assert_eq!(error(path("e"), "/"), format!("/TRAILER!!!: {trailer}"));
    Tree::new().insert_directory(&path("e"), b"/e").unwrap();
}

#[test]
fn a_directory_that_cannot_be_listed() {
    let directory = directory();
    let locked = directory.path().join("locked");
    fs::create_dir(&locked).unwrap();
    set_mode(&locked, 0o300);
    // Root can list it anyway.
    if let Err(reason) = fs::read_dir(&locked) {
        assert_eq!(reason.kind(), ErrorKind::PermissionDenied);
        let reason = "Permission denied (os error 13)";
        assert_eq!(
            error(&directory, "/"),
            format!("{}: {reason}", locked.display())
        );
    }
    set_mode(&locked, 0o700);
}

#[test]
fn what_is_there_already() {
    let directory = directory();
    let path = |name: &str| directory.path().join(name);
    let one = file(path("one"), "same");
    fs::hard_link(&one, path("two")).unwrap();
    let mut tree = tree(&directory);
    let before = listing(&tree);
    tree.insert_directory(directory.path(), b"/").unwrap();
    assert_eq!(listing(&tree), before, "the same once more changes nothing");

    let other = self::directory();
    file(other.path().join("one"), "other");
    let error = tree.insert_directory(other.path(), b"/").unwrap_err();
    let reason = "is there already, as a file from";
    let expected = format!("/one: {reason} {} with mode 0644", one.display());
    assert_eq!(error.to_string(), expected);
}
