//! Where libraries are looked for.

use super::Root;
use super::elf::{AARCH64, Elf, I386};

/// A root with a program that needs liba.so, and a liba.so in each of the directories.
fn with_a_in(program: &Elf, directories: &[&str]) -> Root {
    let root = Root::new();
    root.elf("/bin/p", &program.clone().needed("liba.so"));
    for directory in directories {
        root.elf(&format!("{directory}/liba.so"), &Elf::library());
    }
    root
}

#[test]
fn libraries_of_libraries_come_along_once() {
    let root = Root::new();
    root.elf(
        "/bin/p",
        &Elf::program().needed("liba.so").needed("libb.so"),
    );
    root.elf(
        "/usr/lib/liba.so",
        &Elf::library()
            .needed("libb.so")
            .needed("libc.so")
            .needed("ld.so"),
    );
    root.elf(
        "/lib/libb.so",
        &Elf::library().needed("liba.so").needed("ld-linux.so"),
    );
    root.elf("/lib/libc.so", &Elf::library());
    root.elf("/lib/libunused.so", &Elf::library());
    assert_eq!(
        root.files(&["/bin/p"]),
        ["/bin/p", "/lib/libb.so", "/lib/libc.so", "/usr/lib/liba.so"]
    );
    let closure = root.closure(&["/bin/p"]).unwrap();
    assert!(
        closure
            .paths()
            .any(|path| path.to_str() == Some("/lib/ld.so"))
    );
}

/// ld.so takes a library for another one that is loaded and has its name as DT_SONAME.
#[test]
fn a_loaded_library_is_known_by_its_soname() {
    let root = Root::new();
    root.elf(
        "/bin/p",
        &Elf::program().needed("/opt/a-1.so").needed("libb.so"),
    );
    root.elf("/opt/a-1.so", &Elf::library().soname("liba.so"));
    root.elf("/lib/libb.so", &Elf::library().needed("liba.so"));
    root.elf("/lib/liba.so", &Elf::library());
    assert_eq!(
        root.files(&["/bin/p"]),
        ["/bin/p", "/lib/libb.so", "/opt/a-1.so"]
    );
}

#[test]
fn the_order_of_the_directories() {
    let all = ["/r", "/opt", "/lib", "/usr/lib"];
    let conf = |root: &Root| root.file("/etc/ld.so.conf", b"/opt\n", 0o644);
    for (program, directories, expected) in [
        (Elf::program().rpath("/none:/r"), &all[..], "/r/liba.so"),
        (Elf::program().runpath("/none:/r"), &all, "/r/liba.so"),
        // A DT_RPATH beside a DT_RUNPATH does not count.
        (
            Elf::program().rpath("/r").runpath("/none"),
            &all,
            "/opt/liba.so",
        ),
        (Elf::program(), &all, "/opt/liba.so"),
        (Elf::program(), &all[2..], "/lib/liba.so"),
        (Elf::program(), &all[3..], "/usr/lib/liba.so"),
        (
            Elf::program().no_default(),
            &["/lib", "/opt"],
            "/opt/liba.so",
        ),
        // These would depend on the working directory.
        (
            Elf::program().rpath(":r:"),
            &["/r", "", "/lib"],
            "/lib/liba.so",
        ),
    ] {
        let root = with_a_in(&program, directories);
        conf(&root);
        let files = root.files(&["/bin/p"]);
        assert!(
            files.contains(&expected.to_string()),
            "{expected}: {files:?}"
        );
        assert_eq!(
            files
                .iter()
                .filter(|path| path.ends_with("liba.so"))
                .count(),
            1
        );
    }
}

#[test]
fn tokens_in_paths() {
    for (path, directory) in [
        ("$ORIGIN/../x", "/x"),
        ("${ORIGIN}", "/bin"),
        ("/x/$LIB", "/x/lib"),
        ("/x/${LIB}/$PLATFORM", "/x/lib/x86_64"),
        ("$OTHER", "/lib"),
    ] {
        let program = Elf::program().runpath(path);
        let root = with_a_in(&program, &[directory]);
        let library = format!("{directory}/liba.so");
        assert!(root.files(&["/bin/p"]).contains(&library), "{path}");
    }
}

#[test]
fn default_directories_can_be_off() {
    let root = with_a_in(&Elf::program().no_default(), &["/lib"]);
    let error = root.error(&["p"]);
    assert!(
        error.contains("liba.so, which is not found: this file excludes the default directories"),
        "{error}"
    );
    root.file("/etc/ld.so.conf", b"/lib\n", 0o644);
    let error = root.error(&["p"]);
    assert!(
        error.contains("liba.so, which is not found: this file excludes the default directories"),
        "{error}"
    );
}

#[test]
fn a_library_in_the_working_directory_is_an_error() {
    let root = with_a_in(&Elf::program().needed("x/liba.so"), &["/lib", "/x"]);
    let error = root.error(&["p"]);
    assert!(
        error.contains("needs the library x/liba.so, which would be in the working directory"),
        "{error}"
    );
}

/// A program's origin is where the file is. A library's is where it was found.
#[test]
fn the_origin_of_a_symbolic_link() {
    let root = Root::new();
    root.elf(
        "/opt/bin/p",
        &Elf::program().needed("liba.so").runpath("$ORIGIN/../lib"),
    );
    root.link("/bin/p", "../opt/bin/p");
    root.elf(
        "/opt/real/liba.so",
        &Elf::library().needed("libb.so").runpath("$ORIGIN/b"),
    );
    root.link("/opt/lib/liba.so", "../real/liba.so");
    root.elf("/opt/lib/b/libb.so", &Elf::library());
    root.elf("/opt/real/b/libb.so", &Elf::library());
    assert_eq!(
        root.files(&["/bin/p"]),
        [
            "/bin/p",
            "/opt/bin/p",
            "/opt/lib/b/libb.so",
            "/opt/lib/liba.so",
            "/opt/real/liba.so"
        ]
    );
}

#[test]
fn an_rpath_is_inherited_and_a_runpath_is_not() {
    let root = with_a_in(&Elf::program().rpath("/r"), &["/r"]);
    root.elf("/r/liba.so", &Elf::library().needed("libb.so"));
    root.elf("/r/libb.so", &Elf::library());
    assert_eq!(
        root.files(&["/bin/p"]),
        ["/bin/p", "/r/liba.so", "/r/libb.so"]
    );

    // A library with a DT_RUNPATH inherits nothing.
    root.elf(
        "/r/liba.so",
        &Elf::library().needed("libb.so").runpath("/none"),
    );
    let error = root.error(&["/bin/p"]);
    assert!(
        error.starts_with("ROOT/r/liba.so: needs the library libb.so for /bin/p"),
        "{error}"
    );

    let root = with_a_in(&Elf::program().runpath("/r"), &["/r"]);
    root.elf("/r/liba.so", &Elf::library().needed("libb.so"));
    root.elf("/r/libb.so", &Elf::library());
    let error = root.error(&["/bin/p"]);
    assert!(
        error.starts_with("ROOT/r/liba.so: needs the library libb.so for /bin/p"),
        "{error}"
    );
}

#[test]
fn the_directories_that_an_interpreter_has_built_in() {
    let root = with_a_in(&Elf::program(), &["/store/lib", "/lib"]);
    let mut interpreter = Elf::library().bytes();
    interpreter.extend(b"\0/store/etc/ld.so.cache\0/store/lib/\0/store/lib64/\0");
    root.file("/lib/ld.so", &interpreter, 0o755);
    root.file("/etc/ld.so.conf", b"/lib\n", 0o644);
    assert_eq!(root.files(&["/bin/p"]), ["/bin/p", "/store/lib/liba.so"]);

    // Its cache is made of its own list, and is where /store/etc leads.
    root.link("/store/etc", "../private");
    root.file("/private/ld.so.conf", b"/extra\n", 0o644);
    root.elf("/extra/liba.so", &Elf::library());
    let closure = root.closure(&["/bin/p"]).unwrap();
    let files: Vec<_> = closure.paths().map(|path| path.to_str().unwrap()).collect();
    for path in ["/extra/liba.so", "/store/etc", "/private/ld.so.cache"] {
        assert!(files.contains(&path), "{files:?}");
    }
}

#[test]
fn musl() {
    let musl = "/lib/ld-musl-x86_64.so.1";
    let root = with_a_in(
        &Elf::program().interpreter(musl).needed("libm.so.6"),
        &["/usr/local/lib", "/usr/lib"],
    );
    root.elf(musl, &Elf::library());
    assert_eq!(
        root.files(&["/bin/p"]),
        ["/bin/p", musl, "/usr/local/lib/liba.so"]
    );

    let paths = "/etc/ld-musl-x86_64.path";
    root.file(paths, b"/none\n/usr/lib:/lib\n", 0o644);
    assert_eq!(
        root.files(&["/bin/p"]),
        ["/bin/p", paths, musl, "/usr/lib/liba.so"]
    );

    // A RUNPATH is inherited.
    root.elf(
        "/bin/p",
        &Elf::program()
            .interpreter(musl)
            .needed("liba.so")
            .runpath("/r"),
    );
    root.elf("/usr/lib/liba.so", &Elf::library().needed("libb.so"));
    root.elf("/r/libb.so", &Elf::library());
    assert_eq!(
        root.files(&["/bin/p"]),
        ["/bin/p", paths, musl, "/r/libb.so", "/usr/lib/liba.so"]
    );
}

#[test]
fn libraries_of_other_architectures_are_skipped() {
    let root = with_a_in(&Elf::program().rpath("/x:/y:/z"), &["/z"]);
    root.elf("/x/liba.so", &Elf::library().machine(AARCH64));
    root.elf("/y/liba.so", &Elf::library().machine(I386).with_32_bits());
    assert_eq!(root.files(&["/bin/p"]), ["/bin/p", "/z/liba.so"]);

    std::fs::remove_file(root.path("/z/liba.so")).unwrap();
    let error = root.error(&["/bin/p"]);
    assert_eq!(
        error,
        "ROOT/bin/p: needs the library liba.so, which is not in /x, /y, /z, /lib, /usr/lib; /x/liba.so is for \
         aarch64 with 64 bits; install it for x86_64 with 64 bits, or name its directory in /etc/ld.so.conf"
    );
}

#[test]
fn other_architectures_and_byte_orders() {
    for elf in [
        Elf::library().machine(I386).with_32_bits(),
        Elf::library().machine(8).with_32_bits().big_endian(),
        Elf::library().machine(22).big_endian(),
        Elf::library().machine(AARCH64),
    ] {
        let root = Root::new();
        root.elf("/lib/ld.so", &elf.clone().soname("ld.so"));
        root.elf(
            "/bin/p",
            &elf.clone()
                .interpreter("/lib/ld.so")
                .needed("liba.so")
                .runpath("/x"),
        );
        root.elf("/x/liba.so", &elf);
        assert_eq!(root.files(&["/bin/p"]), ["/bin/p", "/x/liba.so"]);
    }
}
