//! Scripts, and programs that are none.

use super::Root;
use super::elf::{AARCH64, Elf};

#[test]
fn a_script_comes_with_its_interpreter() {
    let root = Root::new();
    root.file("/bin/s", b"#! /opt/awk -f\n", 0o755);
    root.file("/opt/awk", b"#!/bin/sh\n", 0o755);
    root.elf("/bin/sh", &Elf::program().needed("liba.so"));
    root.elf("/lib/liba.so", &Elf::library());
    assert_eq!(
        root.files(&["/bin/s"]),
        ["/bin/s", "/bin/sh", "/lib/liba.so", "/opt/awk"]
    );
}

#[test]
fn a_script_for_env_comes_with_both() {
    let root = Root::new();
    root.elf("/usr/bin/env", &Elf::library());
    root.file("/usr/bin/python", b"\x7fELF", 0o644);
    root.link("/bin/python", "../opt/python3");
    root.elf("/opt/python3", &Elf::library());
    for line in [
        "#!/usr/bin/env python\n",
        "#!/usr/bin/env -S python -u\n",
        "#!/usr/bin/env /bin/python",
    ] {
        root.file("/s", line.as_bytes(), 0o755);
        assert_eq!(
            root.files(&["/s"]),
            ["/bin/python", "/opt/python3", "/s", "/usr/bin/env"]
        );
    }
    root.file("/s", b"#!/usr/bin/env ruby\n", 0o755);
    assert_eq!(
        root.error(&["/s"]),
        "ROOT/s: is a script for ruby, which is not in PATH (/bin:/usr/bin); install it"
    );
}

#[test]
fn scripts_without_their_interpreters() {
    let root = Root::new();
    root.file("/bin/s", b"#!/bin/lua\n", 0o755);
    assert_eq!(
        root.error(&["s"]),
        "ROOT/bin/s: needs the interpreter /bin/lua, which does not exist; install it, or name another program"
    );
    root.file("/bin/lua", b"", 0o644);
    let error = root.error(&["s"]);
    assert!(
        error.starts_with("ROOT/bin/s: needs the interpreter /bin/lua, which is not executable;"),
        "{error}"
    );
    for line in ["#!lua\n", "#!\n"] {
        root.file("/bin/s", line.as_bytes(), 0o755);
        let error = root.error(&["s"]);
        assert!(
            error.contains("which is not the absolute path of an interpreter"),
            "{error}"
        );
    }
}

#[test]
fn the_kernel_runs_five_scripts_and_no_more() {
    let root = Root::new();
    root.elf("/0", &Elf::library());
    for number in 1..=6 {
        root.file(
            &format!("/{number}"),
            format!("#!/{}", number - 1).as_bytes(),
            0o755,
        );
    }
    assert_eq!(root.files(&["/5"]), ["/0", "/1", "/2", "/3", "/4", "/5"]);
    let error = root.error(&["/6"]);
    assert!(error.contains("the sixth script"), "{error}");
    root.file("/loop", b"#!/loop\n", 0o755);
    let error = root.error(&["/loop"]);
    assert!(error.contains("the sixth script"), "{error}");
    // One that was added before is found again.
    assert_eq!(root.files(&["/5", "/5", "/2"]).len(), 6);
}

#[test]
fn a_static_program_needs_nothing() {
    let root = Root::new();
    root.elf("/bin/p", &Elf::library());
    assert_eq!(root.files(&["p"]), ["/bin/p"]);
}

#[test]
fn what_is_no_program() {
    let root = Root::new();
    root.elf("/bin/other", &Elf::library().machine(AARCH64));
    root.elf("/bin/p", &Elf::program());
    root.elf("/lib/liba.so", &Elf::library().needed("libc.so"));
    root.elf("/bin/lost", &Elf::program().interpreter("/lib/none.so"));
    root.elf("/bin/mixed", &Elf::program().machine(AARCH64));
    root.file("/text", b"text", 0o755);
    root.file("/data", b"#!/bin/p", 0o644);
    let mut object = Elf::library().bytes();
    object[16] = 1;
    root.file("/object", &object, 0o755);
    for (programs, error) in [
        (&["/none"][..], "ROOT/none: does not exist;"),
        (
            &["/bin/p/x"],
            "ROOT/bin/p/x: cannot be read: Not a directory",
        ),
        (&["/bin"], "ROOT/bin: is not a regular file;"),
        (
            &["/data"],
            "ROOT/data: is not executable; make it executable",
        ),
        (
            &["/text"],
            "ROOT/text: is neither an ELF program nor a script",
        ),
        (
            &["/object"],
            "ROOT/object: is an ELF file, but not a program",
        ),
        (
            &["none"],
            "none: no program of this name is in PATH (/bin:/usr/bin);",
        ),
        (&[""], "\"\": is not the name of a program"),
        (
            &["p", "other"],
            "ROOT/bin/other: is for aarch64 with 64 bits, but /bin/p is for x86_64 with 64 bits;",
        ),
        (
            &["/lib/liba.so"],
            "ROOT/lib/liba.so: needs the library libc.so, but names no ELF interpreter",
        ),
        (
            &["lost"],
            "ROOT/bin/lost: needs the ELF interpreter /lib/none.so, which cannot be read: No such file",
        ),
        (
            &["mixed"],
            "ROOT/bin/mixed: is for aarch64 with 64 bits, but its ELF interpreter /lib/ld.so is for x86_64",
        ),
    ] {
        let found = root.error(programs);
        assert!(found.starts_with(error), "{found}");
    }
}
