//! Errors before the guest runs: the message, the advice, and the exit code. It is 2 for the command line
//! and 125 for the host and its files; for 125, `git bisect run` skips the commit.

mod common;

use std::fs;
use std::process::{Command, Stdio};

use common::{Fixture, Ran};

const USAGE: i32 = 2;
const CANNOT_TEST: i32 = 125;

/// Runs boot with `arguments` alone; QEMU must not even be started.
#[track_caller]
fn refused(fixture: &Fixture, arguments: &[&str], code: i32) -> String {
    let ran: Ran = fixture
        .bare("exec sleep 1000")
        .args(arguments)
        .output()
        .unwrap()
        .into();
    assert_eq!(ran.code, Some(code), "{}", ran.stderr);
    assert!(!fixture.path("pid").exists(), "QEMU was started");
    ran.stderr
}

#[test]
fn a_missing_file_is_reported_with_its_option_and_variable() {
    let fixture = Fixture::new();
    assert_eq!(
        refused(&fixture, &[], USAGE),
        "boot: no kernel: name one with --kernel FILE or BOOT_KERNEL=FILE\n"
    );
    assert_eq!(
        refused(&fixture, &["--kernel", "kernel"], USAGE),
        "boot: no initramfs: name one with --initrd FILE or BOOT_INITRD=FILE\n"
    );
}

#[test]
fn an_unusable_file_is_reported() {
    let fixture = Fixture::new();
    fs::write(fixture.path("empty"), "").unwrap();
    for (arguments, error) in [
        (
            ["--kernel", "nowhere", "--initrd", "initrd"],
            "boot: nowhere: cannot use it as the kernel (name another kernel with --kernel FILE or BOOT_KERNEL=FILE): \
             No such file or directory (os error 2)\n",
        ),
        (
            ["--kernel", "kernel", "--initrd", "."],
            "boot: .: cannot use it as the initramfs: it is a directory \
             (name another initramfs with --initrd FILE or BOOT_INITRD=FILE)\n",
        ),
        (
            ["--kernel", "kernel", "--initrd", "empty"],
            "boot: empty: cannot use it as the initramfs: it is empty \
             (build it again, or name another initramfs with --initrd FILE or BOOT_INITRD=FILE)\n",
        ),
    ] {
        assert_eq!(refused(&fixture, &arguments, CANNOT_TEST), error);
    }
}

#[test]
fn a_qemu_that_cannot_unpack_the_kernel_is_reported() {
    let fixture = Fixture::new();
    let mut image = vec![0; 0x80];
    for (at, bytes) in [
        (0, &b"MZ"[..]),
        (4, b"zimg\x40\x01\0\0\x07"),
        (0x3c, b"\x40"),
        (0x40, b"PE\0\0\x64\xaa"),
    ] {
        image[at..at + bytes.len()].copy_from_slice(bytes);
    }
    fs::write(fixture.path("kernel"), image).unwrap();
    for (version, code, part) in [
        (
            "7.2.22",
            125,
            "tail -c +321 kernel | head -c 7 | gzip -dc >Image",
        ),
        ("8.0.0", 0, "saw"),
    ] {
        let script = format!(
            "[ \"$1\" != --version ] || {{ echo QEMU emulator version {version}; exit; }}; \
             echo 'Hello, world!'; exec sleep 1000"
        );
        let ran = fixture.run(&script, &["--target", "aarch64"]);
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
        assert_eq!(ran.code, Some(code));
    }
}

#[test]
fn an_unusable_log_is_reported_before_the_boot() {
    let fixture = Fixture::new();
    let refused = |log| {
        refused(
            &fixture,
            &["--kernel", "kernel", "--initrd", "initrd", "--log", log],
            CANNOT_TEST,
        )
    };
    assert_eq!(
        refused("no/such/log"),
        "boot: no/such/log: cannot write the log (name another file with --log FILE): \
         No such file or directory (os error 2)\n"
    );
    assert_eq!(
        refused("./kernel"),
        "boot: ./kernel: cannot write the log over a file that this boot needs (name another file with --log FILE)\n"
    );
    assert_eq!(fs::read(fixture.path("kernel")).unwrap(), common::kernel());
}

#[test]
fn options_are_checked() {
    let fixture = Fixture::new();
    for (arguments, part) in [
        (&["--unknown"][..], "unexpected argument '--unknown'"),
        (
            &["--target", "vax"],
            "[possible values: x86_64, aarch64, riscv64, um]",
        ),
        (
            &["--machine", "isapc"],
            "isapc: no such machine (--machine takes microvm, pc, q35)",
        ),
        (
            &["--target", "um", "--cpu", "max"],
            "--cpu: this option is for QEMU, and not for um",
        ),
        (
            &["--target", "um", "--", "-snapshot"],
            "-- ARGS: this option is for QEMU, and not for um",
        ),
        (
            &["--target", "um", "--gdb=socket"],
            "--gdb=SOCKET: this option is for QEMU, and not for um, which gdb runs itself",
        ),
        // The fixture sets BOOT_ACCEL and BOOT_QEMU, which do not count.
        (&["--target", "um"], "no kernel"),
        (&["--accel", "hvf"], "invalid value 'hvf' for '--accel"),
        (&["--memory", "0"], "0 is not in 1.."),
        (&["--timeout", "0"], "must be more than 0"),
        (&["--timeout", "soon"], "not a number of seconds"),
        (&["--stall", "0"], "must be more than 0"),
        (&["--settle", "-1"], "--settle"),
        (&["--settle", "nan"], "--settle"),
        (&["--expect", ""], "--expect"),
    ] {
        let stderr = refused(&fixture, arguments, USAGE);
        assert!(stderr.contains(part), "{arguments:?}: {stderr}");
    }
}

#[test]
fn variables_replace_options() {
    let fixture = Fixture::new();
    let mut boot = fixture.bare("echo 'Hello, world!'");
    let ran: Ran = boot
        .envs([("BOOT_KERNEL", "kernel"), ("BOOT_INITRD", "initrd")])
        .output()
        .unwrap()
        .into();
    ran.expect_seen("Hello, world!");
}

#[test]
fn a_missing_qemu_is_reported() {
    let fixture = Fixture::new();
    let ran: Ran = Command::new(env!("CARGO_BIN_EXE_boot"))
        .args(["--kernel", "kernel", "--initrd", "initrd"])
        .env_remove("BOOT_QEMU")
        .env("BOOT_ACCEL", "tcg")
        .env("PATH", fixture.path(""))
        .current_dir(fixture.path(""))
        .stdin(Stdio::null())
        .output()
        .unwrap()
        .into();
    ran.expect(
        CANNOT_TEST,
        "boot: qemu-system-x86_64: cannot start QEMU \
         (install qemu-system-x86_64, or name it with --qemu FILE or BOOT_QEMU=FILE): \
         No such file or directory (os error 2)\n",
    );
}

#[test]
fn a_qemu_that_ends_at_once_is_quoted() {
    let fixture = Fixture::new();
    let ran = fixture.run(
        "echo 'cannot do that' >&2; echo sorry >&2; exit 3",
        &["--append", "a b"],
    );
    let (words, command) = ran
        .stderr
        .split_once("\nTo see more, run QEMU by hand:\n  ")
        .unwrap();
    assert_eq!(
        words,
        "boot: QEMU ended with exit status: 3 before the guest wrote anything:\n  qemu: cannot do that\n  qemu: sorry"
    );
    assert!(
        command.contains("/fake-qemu -nodefaults ") && command.contains(" a b' "),
        "{command}"
    );
    assert_eq!(ran.code, Some(CANNOT_TEST));
    let ran = fixture.run("kill -11 $$", &[]);
    assert!(
        ran.stderr
            .starts_with("boot: QEMU ended with signal: 11 (SIGSEGV)"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains(": it did not say why\n"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.code, Some(CANNOT_TEST));
}
