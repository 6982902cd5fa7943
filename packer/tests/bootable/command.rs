//! `packer verify --boot`.

use super::*;
use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use tempfile::TempDir;

/// The exit code, stdout and stderr of `packer verify` in `directory`.
fn packer(directory: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_packer"));
    command.arg("verify").args(arguments);
    let output = command.current_dir(directory.path()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
    write("good", &archive(&[good_init()]));
    write("bad", &archive(&[program("init", "")]));
    write("odd", &archive(&[good_init(), program("tool", "")]));
    write(
        "v2",
        &archive(&[program("init", statically_linked().levels(3).bytes())]),
    );
    write("its-config", b"CONFIG_X86_64=y\nCONFIG_BINFMT_ELF=y\n");
    write("kernel", b"no kernel");
    let mut image = vec![0; 64];
    image[56..60].copy_from_slice(b"ARM\x64");
    write("Image", &image);
    directory
}

#[test]
fn all_as_json() {
    let directory = directory();
    let packer = |arguments: &[&str]| {
        let (code, stdout, stderr) = packer(&directory, arguments);
        assert_eq!(stderr, "");
        (code, serde_json::from_str::<Value>(&stdout).unwrap())
    };
    let size = fs::metadata(directory.path().join("odd")).unwrap().len();
    let expected = json!({
        "version": 1,
        "ok": true,
        "problems": [],
        "findings": [{
            "severity": "note",
            "path": "/tool",
            "problem": "is executable, but empty",
            "advice": "pack the file again",
        }],
        "archives": 1,
        "entries": 2,
        "size": size,
    });
    assert_eq!(packer(&["--json", "--boot", "odd"]), (0, expected));
    let (code, json) = packer(&["--json", "--boot", "bad"]);
    assert_eq!((code, &json["ok"]), (1, &json!(false)));
    assert_eq!(json["findings"][0]["severity"], "error");

    let lost = directory.path().join("lost");
    fs::write(lost, archive(&[file("d/f", "")])).unwrap();
    let (code, json) = packer(&["--json", "lost"]);
    assert_eq!((code, &json["ok"]), (1, &json!(false)));
    assert_eq!(
        json["problems"],
        json!(["/d/f: Linux drops it: /d is not there"])
    );
}

#[test]
fn exit_codes() {
    let directory = directory();
    let ran = packer(&directory, &["--boot", "good"]);
    assert_eq!((ran.0, ran.2.as_str()), (0, ""));
    assert!(
        ran.1.starts_with("good: ok, 1 entry in 1 archive"),
        "{ran:?}"
    );
    let (code, stdout, stderr) = packer(&directory, &["--boot", "bad"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert_eq!(stderr, "bad: error: /init: is empty; pack the file again\n");
    // A note is no failure.
    let (code, stdout, stderr) = packer(&directory, &["--boot", "odd"]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with("odd: ok, "), "{stdout}");
    assert!(
        stderr.starts_with("odd: note: /tool: is executable, but empty"),
        "{stderr}"
    );
    // Without --boot, nothing of this is looked at.
    assert_eq!(packer(&directory, &["bad"]).0, 0);
}

#[test]
fn conditions() {
    let directory = directory();
    let config = ["--boot", "good", "--kernel-config", "its-config"];
    let (code, _, stderr) = packer(&directory, &config);
    assert_eq!(code, 1);
    assert!(
        stderr.starts_with("good: error: the kernel has no CONFIG_BLK_DEV_INITRD"),
        "{stderr}"
    );
    for (arguments, code, start) in [
        (
            &["--cpu", "v1"][..],
            1,
            "v2: error: /init: is built for x86-64-v2",
        ),
        (
            &["--rdinit", "/other"],
            1,
            "v2: error: /other: is not in the image",
        ),
        (
            &["--target", "riscv64", "--cpu", "v2"],
            1,
            "v2: error: /init: is for x86_64",
        ),
        (&["--memory", "1", "--cpu", "v2"], 0, ""),
        (
            &["--kernel", "kernel"],
            1,
            "kernel: is not a kernel that packer knows",
        ),
        (
            &["--kernel", "Image", "--cpu", "v2"],
            1,
            "Image: note: has no configuration in it",
        ),
        (&["--kernel", "none"], 1, "none: No such file"),
        (
            &["--target", "um", "--kernel", "Image", "--cpu", "v2"],
            1,
            "Image: note",
        ),
        (
            &["--kernel-config", "its-config", "--target", "um"],
            1,
            "--target um: the kernel is for x86_64",
        ),
        (
            &["--kernel-config", "kernel"],
            1,
            "kernel: is not a kernel's configuration",
        ),
        (&["--cpu", "v9"], 2, "error: invalid value 'v9'"),
    ] {
        let ran = packer(&directory, &[&["--boot", "v2"], arguments].concat());
        assert_eq!(ran.0, code, "{arguments:?} {ran:?}");
        assert!(ran.2.starts_with(start), "{arguments:?} {ran:?}");
    }
    assert_eq!(
        packer(&directory, &["good", "--cpu", "v1"]).0,
        2,
        "only with --boot"
    );
}
