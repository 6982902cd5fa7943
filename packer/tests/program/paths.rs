//! Paths in the archive: symbolic links, modes, and what several programs share.

use super::Root;
use super::elf::Elf;
use packer::{Entry, Kind, Tree, archive, program};
use std::fs;
use std::path::Path;

/// A root with /lib and /bin below /usr, as most distributions have it.
fn merged() -> Root {
    let root = Root::new();
    fs::remove_dir_all(root.path("/lib")).unwrap();
    root.link("/lib", "usr/lib");
    root.link("/bin", "/usr/bin");
    root.elf("/usr/lib/arch/ld-1.so", &Elf::library());
    root.link("/usr/lib/ld.so", "arch/../arch/ld-1.so");
    root.elf("/usr/bin/dash", &Elf::program().needed("liba.so.1"));
    root.link("/usr/bin/sh", "dash");
    root.elf("/usr/lib/liba.so.1.2", &Elf::library());
    root.link("/usr/lib/liba.so.1", "liba.so.1.2");
    root
}

fn tree(root: &Root, programs: &[&str]) -> Tree {
    let mut tree = Tree::new();
    root.closure(programs).unwrap().insert(&mut tree).unwrap();
    tree
}

#[test]
fn links_stay_links() {
    let root = merged();
    let tree = tree(&root, &["/bin/sh"]);
    let show = |(path, entry): (&bstr::BStr, &Entry)| match &entry.kind {
        Kind::Symlink { target } => format!("{path} -> {target}"),
        Kind::File { source } => {
            assert_eq!(*source, root.path(path.to_string().as_str()));
            format!("{path} {:o}", entry.mode.unwrap())
        }
        Kind::Directory => format!("{path}/"),
        kind => panic!("{kind:?}"),
    };
    let entries: Vec<_> = tree.entries().map(show).collect();
    assert_eq!(
        entries,
        [
            "bin -> /usr/bin",
            "lib -> usr/lib",
            "usr/",
            "usr/bin/",
            "usr/bin/dash 755",
            "usr/bin/sh -> dash",
            "usr/lib/",
            "usr/lib/arch/",
            "usr/lib/arch/ld-1.so 755",
            "usr/lib/ld.so -> arch/../arch/ld-1.so",
            "usr/lib/liba.so.1 -> liba.so.1.2",
            "usr/lib/liba.so.1.2 755",
        ]
    );
    // The whole root agrees with it.
    let mut both = tree.clone();
    both.insert("/usr/bin/x", Entry::new(Kind::Directory))
        .unwrap();
    root.closure(&["sh", "/usr/bin/dash"])
        .unwrap()
        .insert(&mut both)
        .unwrap();
}

#[test]
fn programs_are_named_as_in_the_archive() {
    let root = merged();
    let closure = root.closure(&["sh", "bin/sh", "/usr/bin/dash"]).unwrap();
    let programs: Vec<_> = closure
        .programs()
        .iter()
        .map(|path| path.to_str().unwrap())
        .collect();
    assert_eq!(programs, ["/bin/sh", "/bin/sh", "/usr/bin/dash"]);
}

#[test]
fn links_stay_within_the_root() {
    let root = Root::new();
    root.link("/bin/p", "../../../../../../../../opt/p");
    root.elf("/opt/p", &Elf::program());
    assert_eq!(root.files(&["/bin/p"]), ["/bin/p", "/opt/p"]);
    root.link("/bin/loop", "loop");
    let error = root.error(&["/bin/loop"]);
    assert!(
        error.starts_with("ROOT/bin/loop: cannot be read: Too many levels of symbolic links"),
        "{error}"
    );
}

#[test]
fn modes_are_those_of_the_files() {
    let root = Root::new();
    root.file("/bin/su", &Elf::program().bytes(), 0o1711);
    let tree = tree(&root, &["su"]);
    let (_, entry) = tree.entries().find(|(path, _)| *path == "bin/su").unwrap();
    assert_eq!(entry.mode, Some(0o1711));
}

#[test]
fn the_same_programs_give_the_same_bytes() {
    let pack =
        |programs: &[&str]| archive::write(&tree(&merged(), programs), 0, Vec::new()).unwrap();
    let bytes = pack(&["/bin/sh", "/usr/bin/dash"]);
    assert_eq!(bytes, pack(&["/usr/bin/dash", "/bin/sh"]));
    assert_eq!(bytes, pack(&["/usr/bin/dash", "sh"]));
    assert_ne!(bytes, pack(&["/usr/bin/dash"]));
}

#[test]
fn a_contradiction_in_the_archive_is_named() {
    let root = merged();
    let mut tree = Tree::new();
    tree.insert("/lib/firmware", Entry::new(Kind::Directory))
        .unwrap();
    let error = root
        .closure(&["sh"])
        .unwrap()
        .insert(&mut tree)
        .unwrap_err();
    assert_eq!(error.to_string(), "/lib: is there already, as a directory");
}

#[test]
fn a_file_comes_with_the_links_that_lead_to_it() {
    let root = merged();
    root.file("/usr/share/data", b"data", 0o640);
    root.link("/data", "usr/share/../share/link");
    root.link("/usr/share/link", "data");
    let mut closure = root.closure(&["sh"]).unwrap();
    let without = closure.paths().count();
    closure.add_file(root.0.path(), "/data".as_ref()).unwrap();
    let paths: Vec<_> = closure.paths().collect();
    for path in ["/data", "/usr/share", "/usr/share/link", "/usr/share/data"] {
        assert!(paths.contains(&Path::new(path)), "{path}");
    }
    assert_eq!(paths.len(), without + 4);
    for (path, error) in [
        ("/usr", "/usr: is not a regular file"),
        (
            "/none",
            "/none: cannot be read: No such file or directory (os error 2)",
        ),
    ] {
        let failed = closure.add_file(root.0.path(), path.as_ref()).unwrap_err();
        assert!(failed.to_string().ends_with(error), "{failed}");
    }
}

#[test]
fn a_library_is_no_program() {
    let root = Root::new();
    root.elf("/program", &Elf::program());
    root.elf("/library", &Elf::library().needed("libc.so"));
    root.file("/script", b"#!/bin/sh", 0o755);
    root.file("/text", b"text", 0o755);
    root.file("/plain", &Elf::program().bytes(), 0o644);
    for (path, is_program) in [
        ("/program", true),
        ("/script", true),
        ("/library", false),
        ("/text", false),
        ("/plain", false),
        ("/", false),
    ] {
        assert_eq!(program::is_startable(&root.path(path)).unwrap(), is_program);
    }
    assert!(program::is_startable(&root.path("/none")).is_err());
}

#[test]
fn the_architecture_is_that_of_the_programs() {
    let root = merged();
    let closure = root.closure(&["sh"]).unwrap();
    let (path, architecture) = closure.architecture().unwrap();
    assert_eq!(path, Path::new("/bin/sh"));
    assert_eq!(architecture.to_string(), "x86_64 with 64 bits");
}
