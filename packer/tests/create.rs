//! `packer create` with trees, lists, manifests and compression.

use packer::{Manifest, manifest};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const PACKER: &str = env!("CARGO_BIN_EXE_packer");

/// A directory to run `packer` in, with a tree to pack of more than one chunk of any compressor.
fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    let tree = directory.path().join("tree");
    fs::create_dir_all(tree.join("bin")).unwrap();
    // Compressible, but not constant: half of the bits of a linear congruential generator.
    let mut state = 1u32;
    let bytes = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        (state >> 24) as u8 & 0x5a
    });
    let bytes: Vec<u8> = bytes.take(5 << 20).collect();
    fs::write(tree.join("bin/big"), bytes).unwrap();
    fs::write(tree.join("bin/small"), "small").unwrap();
    fs::hard_link(tree.join("bin/small"), tree.join("bin/again")).unwrap();
    fs::write(directory.path().join("list"), "pipe /run/fifo 0622 5 6\n").unwrap();
    directory
}

fn packer(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(PACKER)
        .current_dir(directory)
        .env_remove("SOURCE_DATE_EPOCH")
        .args(arguments)
        .output()
        .unwrap()
}

fn succeeds(directory: &Path, arguments: &[&str]) -> String {
    let output = packer(directory, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stderr.is_empty(),
        "{arguments:?}: {stderr}"
    );
    String::from_utf8(output.stdout).unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

const EVERYTHING: &[&str] = &[
    "create",
    "out",
    "--tree=tree:/usr",
    "--list=list",
    "--file=/init=tree/bin/small:0755",
    "--dir=/tmp:1777",
    "--node=/dev/console=c:5:1",
    "--symlink=/bin=usr/bin",
];

#[test]
fn entries_of_all_sources_come_together() {
    let directory = directory();
    let path = directory.path();
    succeeds(path, EVERYTHING);
    let list = succeeds(path, &["list", "out"]);
    let expected = "\
lrwxrwxrwx 0:0 7 0 /bin -> usr/bin
drwxr-xr-x 0:0 0 0 /dev
crw------- 0:0 5,1 0 /dev/console
-rwxr-xr-x 0:0 5 0 /init
drwxr-xr-x 0:0 0 0 /run
prw--w--w- 5:6 0 0 /run/fifo
drwxrwxrwt 0:0 0 0 /tmp
drwxr-xr-x 0:0 0 0 /usr
drwxr-xr-x 0:0 0 0 /usr/bin
-rw-r--r-- 0:0 - 0 /usr/bin/again
-rw-r--r-- 0:0 5242880 0 /usr/bin/big
-rw-r--r-- 0:0 5 0 /usr/bin/small
";
    assert_eq!(list, expected);
}

#[test]
fn the_number_of_jobs_does_not_matter() {
    let directory = directory();
    let path = directory.path();
    let mut archives = Vec::new();
    for compress in ["none", "gzip:1", "gzip", "zstd:3", "xz:0"] {
        let compress = format!("--compress={compress}");
        let images = ["1", "2", "5"].map(|jobs| {
            succeeds(path, &[EVERYTHING, &[&compress, "--jobs", jobs]].concat());
            fs::read(path.join("out")).unwrap()
        });
        assert!(images.iter().all(|image| *image == images[0]), "{compress}");
        archives.push(Manifest::of_image(fs::File::open(path.join("out")).unwrap()).unwrap());
    }
    for manifest in &archives {
        assert_eq!(manifest.entries, archives[0].entries);
        assert_eq!(manifest.archives[0].hash, archives[0].archives[0].hash);
    }
}

#[test]
fn the_manifest_is_what_the_image_reads_back_as() {
    let directory = directory();
    let path = directory.path();
    succeeds(
        path,
        &[EVERYTHING, &["--manifest=json", "--quiet"]].concat(),
    );
    let manifest = fs::read_to_string(path.join("json")).unwrap();
    assert_eq!(manifest, succeeds(path, &["list", "--json", "out"]));
    let manifest: Manifest = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest.version, manifest::VERSION);
    succeeds(path, &["verify", "out", "--manifest", "json"]);
}

#[test]
fn an_image_that_fails_leaves_no_manifest_and_the_other_way_round() {
    let directory = directory();
    let path = directory.path();
    for arguments in [
        &["--manifest=json", "--file=/none=none"][..],
        &["--manifest=none/json"],
        &["--manifest=tree"],
    ] {
        let before = names(path);
        let output = packer(path, &[EVERYTHING, arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stderr.starts_with(b"none") || output.stderr.starts_with(b"tree: is a"));
        assert_eq!(names(path), before, "{arguments:?}");
    }
}

#[test]
fn one_path_has_one_entry() {
    let directory = directory();
    let path = directory.path();
    for (name, contents) in [("a", "same"), ("b", "same"), ("c", "else")] {
        fs::write(path.join(name), contents).unwrap();
    }
    let add = |source| packer(path, &["create", "out", "--file=/x=a:0644", source]);
    // Another file with the same contents, mode and owner is the same entry.
    assert!(add("--file=/x=b:0644").status.success());
    for source in ["--file=/x=c:0644", "--file=/x=b:0600", "--dir=/x"] {
        let stderr = String::from_utf8(add(source).stderr).unwrap();
        assert_eq!(
            stderr,
            "/x: is there already, as a file from a with mode 0644\n"
        );
    }
}

#[test]
fn names_may_be_any_bytes() {
    let directory = directory();
    let path = directory.path();
    let name = OsStr::from_bytes(b"\xff\n\\");
    fs::write(path.join(name), "bytes").unwrap();
    let mut file = b"--file=/".to_vec();
    file.extend_from_slice(name.as_bytes());
    file.push(b'=');
    file.extend_from_slice(name.as_bytes());
    let status = Command::new(PACKER)
        .current_dir(path)
        .args(["create", "out"])
        .arg(OsStr::from_bytes(&file))
        .status();
    assert!(status.unwrap().success());
    let list = succeeds(path, &["list", "out"]);
    assert_eq!(list, "-rw-r--r-- 0:0 5 0 /\\xff\\x0a\\\\\n");
}

#[test]
fn completions_and_manual_pages_know_every_option() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    for shell in ["bash", "zsh", "fish"] {
        let text = succeeds(path, &["completions", shell]);
        assert!(
            text.contains("closure") && text.contains("extract"),
            "{shell}"
        );
    }
    succeeds(path, &["man", "."]);
    assert!(names(path).contains(&"packer.1".to_owned()));
    let page = fs::read_to_string(path.join("packer-create.1")).unwrap();
    for option in ["tree", "list", "closure", "compress", "jobs", "manifest"] {
        assert!(page.contains(&format!("\\-\\-{option}")), "{option}");
    }
}
