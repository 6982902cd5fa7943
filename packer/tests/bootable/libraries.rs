//! ELF interpreters, libraries, and levels of x86-64.

use super::*;
use packer::bootable::Level;

fn init(elf: Elf) -> E {
    program("init", elf.bytes())
}

#[test]
fn the_interpreter_must_be_a_program() {
    let init = init(Elf::program());
    let at = |entry: E| vec![dir("lib"), entry, init.clone()];
    expect_none(&found(&with_loader(std::slice::from_ref(&init))));
    for (entries, start) in [
        (vec![init.clone()], "which is not in the image; "),
        (
            at(symlink("lib/ld.so", "gone")),
            "which leads to nothing: /lib/ld.so is a symbolic link to gone",
        ),
        (at(dir("lib/ld.so")), "which is a directory"),
        (at(program("lib/ld.so", "")), "which is empty"),
        (at(program("lib/ld.so", "text")), "which is not an ELF file"),
        (
            at(file("lib/ld.so", Elf::library().bytes())),
            "which is not executable: its mode is 0644",
        ),
        (
            at(program(
                "lib/ld.so",
                Elf::library().machine(elf::AARCH64).bytes(),
            )),
            "which is for aarch64 with 64 bits, but the program is for x86_64",
        ),
    ] {
        let start = format!("error: /init: needs the ELF interpreter /lib/ld.so, {start}");
        expect_one(&found(&entries), &start);
    }
}

#[test]
fn every_library_must_be_there() {
    let init = init(Elf::program().needed("liba.so").needed("libb.so"));
    let liba = |elf: Elf| file("lib/liba.so", elf.needed("libb.so").bytes());
    let libb = file("lib/libb.so", Elf::library().bytes());
    let good = [liba(Elf::library()), libb.clone(), init.clone()];
    expect_none(&found(&with_loader(&good)));
    expect_one(
        &found(&with_loader(&[liba(Elf::library()), init.clone()])),
        "error: /init: needs the library libb.so (as does 1 more file), which is not in /lib, /usr/lib; ",
    );
    let deep = [liba(Elf::library().needed("libc.so")), libb, init.clone()];
    expect_one(
        &found(&with_loader(&deep)),
        "error: /lib/liba.so: needs the library libc.so for /init, which is not in /lib",
    );
    let found = found(&with_loader(&[init]));
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn libraries_that_do_not_count() {
    let init = init(Elf::program().needed("liba.so"));
    for (entry, start) in [
        (file("lib/liba.so", ""), "but /lib/liba.so is empty"),
        (
            file("lib/liba.so", "INPUT(x)"),
            "but /lib/liba.so is not an ELF file",
        ),
        (dir("lib/liba.so"), "but /lib/liba.so is a directory"),
        (
            file("lib/liba.so", Elf::library().machine(elf::AARCH64).bytes()),
            "but /lib/liba.so is for aarch64",
        ),
    ] {
        let start = format!("error: /init: needs the library liba.so, {start}");
        expect_one(&found(&with_loader(&[entry, init.clone()])), &start);
    }
}

#[test]
fn where_libraries_may_be() {
    let library = |path: &str| file(path, Elf::library().bytes());
    let directories = [
        dir("opt"),
        dir("opt/lib"),
        dir("etc"),
        dir("usr"),
        dir("usr/lib"),
    ];
    let found = |entries: &[E]| found(&[with_loader(&directories), entries.to_vec()].concat());
    let plain = Elf::program().needed("liba.so");
    for elf in [
        plain.clone().rpath("/opt/lib"),
        plain.clone().runpath("/none:/opt/lib"),
        plain.clone().runpath("$ORIGIN/opt/${LIB}"),
        Elf::program().needed("/opt/lib/liba.so"),
    ] {
        let init = init(elf);
        expect_none(&found(&[library("opt/lib/liba.so"), init.clone()]));
        expect_one(&found(&[init]), "error: /init: needs the library ");
    }
    // The default directories, through a link.
    expect_none(&found(&[
        library("usr/lib/liba.so.1"),
        symlink("usr/lib/liba.so", "liba.so.1"),
        init(plain.clone()),
    ]));
    expect_one(
        &found(&[library("opt/lib/liba.so"), init(plain.clone())]),
        "error: /init: needs the library liba.so",
    );
    // What ldconfig(8) has found.
    let cache = file(
        "etc/ld.so.cache",
        "glibc-ld.so.cache1.1\0\0liba.so\0/opt/lib/liba.so\0",
    );
    expect_none(&found(&[
        library("opt/lib/liba.so"),
        cache.clone(),
        init(plain.clone()),
    ]));
    expect_one(
        &found(&[cache, init(plain)]),
        "error: /init: needs the library liba.so",
    );
}

#[test]
fn musl_has_its_own_directories() {
    let loader = program("lib/ld-musl-x86_64.so.1", Elf::library().bytes());
    let init = init(
        Elf::program()
            .interpreter("/lib/ld-musl-x86_64.so.1")
            .needed("libc.so")
            .needed("liba.so"),
    );
    let library = |path: &str| file(path, Elf::library().bytes());
    let image = |more: &[E]| {
        let base = [
            dir("lib"),
            dir("etc"),
            dir("opt"),
            loader.clone(),
            init.clone(),
        ];
        [&base[..], more].concat()
    };
    expect_none(&found(&image(&[library("lib/liba.so")])));
    let start =
        "error: /init: needs the library liba.so, which is not in /lib, /usr/local/lib, /usr/lib";
    expect_one(&found(&image(&[library("opt/liba.so")])), start);
    let path = file("etc/ld-musl-x86_64.path", "/opt\n");
    expect_none(&found(&image(&[library("opt/liba.so"), path])));
}

#[test]
fn levels_of_x86_64() {
    let old = |level: &str| Conditions {
        level: Some(level.parse::<Level>().unwrap()),
        ..Conditions::default()
    };
    let v3 = [program("init", statically_linked().levels(0b111).bytes())];
    expect_one(
        &found_with(&v3, &old("v1")),
        "error: /init: is built for x86-64-v3, and the CPU has only x86-64-v1",
    );
    expect_none(&found_with(&v3, &old("v3")));
    expect_one(&found(&v3), "note: /init: is built for x86-64-v3");
    let library = [
        file("lib/liba.so", Elf::library().levels(0b11).bytes()),
        init(Elf::program().needed("liba.so")),
    ];
    expect_one(
        &found_with(&with_loader(&library), &old("v1")),
        "error: /lib/liba.so: is built for x86-64-v2",
    );
    let baseline = [program("init", statically_linked().levels(1).bytes())];
    expect_none(&found_with(&baseline, &old("v1")));
    let loader = [
        dir("lib"),
        program("lib/ld.so", Elf::library().levels(0b11).bytes()),
        init(Elf::program()),
    ];
    expect_one(
        &found_with(&loader, &old("v1")),
        "error: /lib/ld.so: is built for x86-64-v2",
    );
}
