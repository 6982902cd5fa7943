//! `packer create` warns about attributes of files that an archive cannot store.

use rustix::fs::{XattrFlags, setxattr};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// `struct vfs_ns_cap_data`, revision 2: cap_net_raw, permitted and effective.
const CAPABILITIES: [u8; 20] = [
    1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

/// `struct posix_acl_xattr_header`, and its entries: rw- for the owner and for user 1, r-- else.
const ACL: [u8; 44] = [
    2, 0, 0, 0, //
    0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, //
    0x02, 0, 6, 0, 1, 0, 0, 0, //
    0x04, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, //
    0x10, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, //
    0x20, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
];

/// Sets the attribute, if the file system supports it and the user has the privileges.
fn set(path: &Path, name: &str, value: &[u8]) -> bool {
    let result = setxattr(path, name, value, XattrFlags::empty());
    if let Err(error) = result {
        eprintln!("not tested: {name} cannot be set here: {error}");
    }
    result.is_ok()
}

fn stderr(directory: &TempDir, entries: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_packer"));
    command
        .current_dir(directory)
        .args(["create", "out", "--quiet"]);
    let output = command.args(entries).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn capabilities_and_access_control_lists() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::create_dir(path("tree")).unwrap();
    for name in ["tree/a", "tree/b", "tree/c", "file"] {
        fs::write(path(name), name).unwrap();
    }
    set(
        &path("tree/c"),
        "user.comment",
        b"nothing is lost that matters",
    );
    assert_eq!(
        stderr(&directory, &["--tree=tree", "--file=/file=file"]),
        ""
    );

    let mut expected = String::new();
    if set(&path("tree/a"), "security.capability", &CAPABILITIES) {
        expected += "warning: tree/a: has capabilities, which newc cannot store: in the image it has \
                     none\n";
    }
    if set(&path("tree/b"), "system.posix_acl_access", &ACL) {
        expected += "warning: tree/b: has an access control list, which newc cannot store: in the image \
                     only its mode counts\n";
    }
    assert_eq!(stderr(&directory, &["--tree=tree"]), expected);

    // For every option, and only a limited number of warnings.
    if set(&path("file"), "security.capability", &CAPABILITIES) {
        let single = stderr(&directory, &["--file=/file=file"]);
        assert!(
            single.starts_with("warning: file: has capabilities"),
            "{single}"
        );
        for number in 0..12 {
            let name = path(&format!("tree/many-{number:02}"));
            fs::write(&name, "").unwrap();
            set(&name, "security.capability", &CAPABILITIES);
        }
        fs::remove_file(path("tree/a")).unwrap();
        fs::remove_file(path("tree/b")).unwrap();
        let many = stderr(&directory, &["--tree=tree"]);
        let lines: Vec<_> = many.lines().collect();
        assert_eq!(
            (lines.len(), lines[10]),
            (11, "warning: 2 more files lose attributes")
        );
    }
}
