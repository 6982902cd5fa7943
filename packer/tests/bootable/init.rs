//! Init, and the interpreters of scripts.

use super::*;

#[test]
fn nothing_is_wrong_with_these() {
    expect_none(&found(&[good_init()]));
    let shell = [
        dir("usr"),
        dir("usr/bin"),
        symlink("bin", "usr/bin"),
        program("usr/bin/busybox", statically_linked().bytes()),
        symlink("usr/bin/sh", "busybox"),
        symlink("usr/bin/env", "/bin/busybox"),
    ];
    for first_line in [
        "#!/bin/sh",
        "#! /bin/sh -e",
        "#!bin/sh",
        "#!/usr/bin/env sh",
    ] {
        let init = program("init", format!("{first_line}\nexit\n"));
        expect_none(&found(&[&shell[..], &[init]].concat()));
    }
    // Through links, absolute and relative ones.
    let links = [
        symlink("init", "/sbin/init"),
        symlink("sbin", "usr/sbin"),
        dir("usr"),
        dir("usr/sbin"),
        symlink("usr/sbin/init", "../lib/systemd"),
        dir("usr/lib"),
        program("usr/lib/systemd", statically_linked().bytes()),
    ];
    expect_none(&found(&links));
}

#[test]
fn there_must_be_an_init() {
    expect_one(
        &found(&[dir("dev")]),
        "error: /init: is not in the image: Linux then looks for a disk",
    );
    let conditions = Conditions {
        init: "/linuxrc".into(),
        ..Conditions::default()
    };
    expect_one(
        &found_with(&[good_init()], &conditions),
        "error: /linuxrc: is not in the image",
    );
    let conditions = Conditions {
        has_root: true,
        ..Conditions::default()
    };
    expect_one(
        &found_with(&[dir("dev")], &conditions),
        "note: /init: is not in the image",
    );
}

#[test]
fn links_that_lead_to_nothing() {
    expect_one(
        &found(&[symlink("init", "/sbin/init")]),
        "error: /init: leads to nothing: /init is a symbolic link to /sbin/init, and /sbin is not in the image",
    );
    expect_one(
        &found(&[symlink("init", "a"), symlink("a", "init")]),
        "error: /init: leads to nothing: /init is a symbolic link to a, /a is a symbolic link to init, \
         /init is a symbolic link to a, and so on, for more than 40",
    );
    expect_one(
        &found(&[symlink("init", "a/b"), file("a", "x")]),
        "error: /init: leads to nothing: /init is a symbolic link to a/b, and /a is not a directory",
    );
}

#[test]
fn init_must_be_a_program() {
    for (entry, start) in [
        (dir("init"), "error: /init: is a directory, and not a file"),
        (
            device("init", CHAR | 0o777, (1, 3)),
            "error: /init: is a character device, and not a file",
        ),
        (
            file("init", statically_linked().bytes()),
            "error: /init: is not executable: its mode is 0644",
        ),
        (program("init", ""), "error: /init: is empty; "),
        (
            program("init", "echo hello"),
            "error: /init: is neither an ELF program nor a script with `#!`; only a shell",
        ),
        (
            program("init", "\u{feff}#!/bin/sh\n"),
            "error: /init: is neither an ELF program nor a script with `#!`: an invisible mark of Unicode",
        ),
        (
            program("init", " #!/bin/sh\n"),
            "error: /init: is neither an ELF program nor a script with `#!`: its first byte is white space",
        ),
        (
            program("init", "# !/bin/sh\n"),
            "error: /init: is neither an ELF program nor a script with `#!`: its first bytes are `# !`",
        ),
        (
            program("init", Elf::library().kind(1).bytes()),
            "error: /init: is an ELF file, but not a program",
        ),
        (
            program("init", &Elf::program().bytes()[..100]),
            "error: /init: is a malformed ELF file",
        ),
        (
            program("init", Elf::library().needed("libc.so").bytes()),
            "error: /init: needs the library libc.so, but names no ELF interpreter",
        ),
    ] {
        expect_one(&found(&[entry]), start);
    }
}

#[test]
fn an_empty_init_may_be_a_hard_link_without_its_contents() {
    let lone = E {
        mode: FILE | 0o755,
        ..name("init", 5, 2, "")
    };
    let found = found(&[lone]);
    assert!(
        found[0].starts_with("error: /init: is empty, and the archive lacks some of its names"),
        "{found:?}"
    );
    // The contents may come with any name.
    let named = |path, contents: &[u8]| E {
        mode: FILE | 0o755,
        ..name(path, 5, 2, contents)
    };
    let bytes = statically_linked().bytes();
    expect_none(&super::found(&[named("init", b""), named("other", &bytes)]));
    expect_none(&super::found(&[named("other", &bytes), named("init", b"")]));
}

#[test]
fn the_last_entry_counts() {
    expect_none(&found(&[program("init", "nothing"), good_init()]));
    expect_one(
        &found(&[good_init(), program("init", "nothing")]),
        "error: /init: is neither",
    );
    expect_one(
        &found(&[good_init(), program("init", "")]),
        "error: /init: is empty",
    );
}

#[test]
fn scripts_need_their_interpreters() {
    let script = |line: &str| program("init", format!("{line}\n"));
    let shell = |bytes: &[u8]| vec![dir("bin"), program("bin/sh", bytes)];
    let good = shell(&statically_linked().bytes());
    for (entries, start) in [
        (
            vec![script("#!/bin/sh")],
            "error: /init: is a script for /bin/sh, which is not in the image; ",
        ),
        (
            vec![dir("bin"), symlink("bin/sh", "dash"), script("#!/bin/sh")],
            "error: /init: is a script for /bin/sh, which leads to nothing: /bin/sh is a symbolic link to dash, and /bin/dash",
        ),
        (
            [good.clone(), vec![script("#!/bin/sh\r")]].concat(),
            "error: /init: is a script whose first line ends in a carriage return",
        ),
        (
            [good.clone(), vec![script("#!/bin/sh -e\r")]].concat(),
            "warning: /init: is a script whose first line ends in a carriage return, which Linux passes",
        ),
        (
            vec![script("#!")],
            "error: /init: is a script whose first line names no interpreter",
        ),
        (
            vec![script(&format!("#!/{}", "x".repeat(300)))],
            "error: /init: is a script whose first line is longer than 256 bytes",
        ),
        (
            [shell(b""), vec![script("#!/bin/sh")]].concat(),
            "error: /init: is a script for /bin/sh, which is empty",
        ),
        (
            [shell(&Elf::program().bytes()), vec![script("#!/bin/sh")]].concat(),
            "error: /init: is a script for /bin/sh, which needs the ELF interpreter /lib/ld.so, which is not in the image",
        ),
        (
            [
                good.clone(),
                vec![
                    program("bin/env", statically_linked().bytes()),
                    script("#!/bin/env lua"),
                ],
            ]
            .concat(),
            "warning: /init: is a script for lua, which is not in /bin, /usr/bin, /usr/local/bin",
        ),
        (
            vec![script("#!/init")],
            "error: /init: is a script for /init, which is a script for /init, which",
        ),
    ] {
        expect_one(&found(&entries), start);
    }
}

#[test]
fn linux_follows_five_scripts() {
    let chain = |scripts: usize| {
        let script = |number: usize| {
            let name = if number == 1 {
                "init".into()
            } else {
                number.to_string()
            };
            program(name, format!("#!/{}\n", number + 1))
        };
        let last = program((scripts + 1).to_string(), statically_linked().bytes());
        let scripts = (1..=scripts).map(script);
        scripts.chain([last]).collect::<Vec<_>>()
    };
    expect_none(&found(&chain(5)));
    let found = found(&chain(6));
    assert!(
        matches!(&found[..], [one] if one.contains("which is the sixth script in a chain of interpreters")),
        "{found:?}"
    );
}

#[test]
fn linux_tries_other_programs() {
    let shell = [dir("bin"), program("bin/sh", statically_linked().bytes())];
    let init = file("init", statically_linked().bytes());
    let found = found(&[&shell[..], &[init]].concat());
    expect_one(&found, "error: /init: is not executable");
    assert!(found[0].contains("(Linux then runs /bin/sh)"), "{found:?}");
}

#[test]
fn the_architecture_must_be_the_kernels() {
    let init = |elf: Elf| [program("init", elf.kind(2).bytes())];
    let arm = init(Elf::library().machine(elf::AARCH64));
    expect_none(&found_with(&arm, &target("aarch64")));
    expect_one(
        &found_with(&arm, &target("x86_64")),
        "error: /init: is for aarch64 with 64 bits, and the kernel for x86_64",
    );
    // Nothing is known about the kernel.
    expect_none(&found(&arm));
    let i386 = init(Elf::library().machine(elf::I386).with_32_bits());
    expect_one(
        &found_with(&i386, &target("x86_64")),
        "note: /init: is for i386 with 32 bits: the kernel needs CONFIG_IA32_EMULATION",
    );
    expect_one(
        &found_with(&i386, &options("")),
        "error: /init: is for i386 with 32 bits, and the kernel has no CONFIG_IA32_EMULATION",
    );
    expect_none(&found_with(&i386, &options("CONFIG_IA32_EMULATION=y\n")));
}
