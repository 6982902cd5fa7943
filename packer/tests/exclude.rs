//! `packer create --exclude`.

use packer::pattern::Pattern;
use packer::{DirectoryOptions, Kind, Tree};
use std::fs;
use std::os::unix::net::UnixListener;
use std::process::Command;
use tempfile::TempDir;

fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    for path in ["a/.git", "a/b/cache", "cache"] {
        fs::create_dir_all(directory.path().join(path)).unwrap();
    }
    for path in [
        "a/.git/config",
        "a/b/f.pyc",
        "a/b/f.py",
        "cache/f",
        ".gitignore",
    ] {
        fs::write(directory.path().join(path), "").unwrap();
    }
    directory
}

fn without(excluded: &[Pattern]) -> DirectoryOptions<'_> {
    DirectoryOptions {
        excluded,
        ..DirectoryOptions::default()
    }
}

/// The paths that are packed.
fn paths(directory: &TempDir, at: &str, excluded: &[&str]) -> Vec<String> {
    let excluded = excluded.iter().map(|text| Pattern::parse(text.as_bytes()));
    let excluded: Vec<_> = excluded.map(Result::unwrap).collect();
    let mut tree = Tree::new();
    tree.insert_directory_with(directory.path(), at.as_bytes(), without(&excluded))
        .unwrap();
    let paths = tree.entries().map(|(path, _)| path.to_string());
    paths.filter(|path| path != ".").collect()
}

#[test]
fn what_matches_is_left_out() {
    let directory = directory();
    let all = [
        ".gitignore",
        "a",
        "a/.git",
        "a/.git/config",
        "a/b",
        "a/b/cache",
        "a/b/f.py",
        "a/b/f.pyc",
        "cache",
        "cache/f",
    ];
    for (excluded, expected) in [
        (&[][..], &[][..]),
        (&[".git"], &["a/.git", "a/.git/config"]),
        (&["*.pyc", "*/config"], &["a/.git/config", "a/b/f.pyc"]),
        (&["cache"], &["a/b/cache", "cache", "cache/f"]),
        (&["/cache"], &["cache", "cache/f"]),
        (&["b/cache"], &["a/b/cache"]),
        (&["/b", "ca", "nowhere"], &[]),
        (&["*"], &all),
    ] {
        let mut left: Vec<_> = all.to_vec();
        left.retain(|path| !expected.contains(path));
        assert_eq!(paths(&directory, "/", excluded), left, "{excluded:?}");
    }
}

/// The patterns are for paths below DIR, whatever their paths in the image are.
#[test]
fn the_place_in_the_image_does_not_matter() {
    let directory = directory();
    let expected = ["cache", "cache/.gitignore", "cache/cache", "cache/cache/f"];
    assert_eq!(paths(&directory, "/cache", &["/a"]), expected);
}

#[test]
fn another_name_of_a_file_becomes_the_first() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("a"), "text").unwrap();
    fs::hard_link(path("a"), path("b")).unwrap();
    let mut tree = Tree::new();
    let excluded = [Pattern::parse(b"a").unwrap()];
    tree.insert_directory_with(directory.path(), b"/", without(&excluded))
        .unwrap();
    let (_, entry) = tree.entries().find(|(path, _)| *path == "b").unwrap();
    assert_eq!(entry.kind, Kind::File { source: path("b") });
}

fn create(directory: &TempDir, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_packer"));
    command.args(["create", "../out"]).args(arguments);
    fs::create_dir_all(directory.path().join("root")).unwrap();
    let output = command
        .current_dir(directory.path().join("root"))
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn the_program() {
    let directory = TempDir::new().unwrap();
    assert_eq!(create(&directory, &["--tree=."]), (Some(0), String::new()));
    let expected = fs::read(directory.path().join("out")).unwrap();
    let _socket = UnixListener::bind(directory.path().join("root/socket")).unwrap();
    let (code, stderr) = create(&directory, &["--tree=."]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("is a socket"), "{stderr}");
    let arguments = ["--tree=.", "--exclude=sock*", "--exclude=nothing"];
    assert_eq!(create(&directory, &arguments), (Some(0), String::new()));
    assert_eq!(fs::read(directory.path().join("out")).unwrap(), expected);

    for (arguments, message) in [
        (&["--dir=/d", "--exclude=d"][..], "--tree <DIR[:AT]>"),
        (&["--tree=.", "--exclude=[d"], "[d: has a `[` without a `]`"),
    ] {
        let (code, stderr) = create(&directory, arguments);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
}
