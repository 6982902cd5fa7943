//! "Will it boot?": `packer::bootable`, and `packer verify --boot`.

#[path = "../program/elf.rs"]
mod elf;
#[path = "../images/mod.rs"]
mod images;

mod cases;
mod command;
mod init;
mod kernel;
mod libraries;
mod options;

use elf::Elf;
use images::*;
use packer::bootable::{Conditions, Config, Target};
use packer::verify::verify_boot;

/// The findings about an image with these entries, each with its severity.
fn found_with(entries: &[E], conditions: &Conditions) -> Vec<String> {
    findings(&archive(entries), conditions)
}

fn found(entries: &[E]) -> Vec<String> {
    found_with(entries, &Conditions::default())
}

fn findings(image: &[u8], conditions: &Conditions) -> Vec<String> {
    let report = verify_boot(image, None, conditions).unwrap();
    let findings = report.findings.iter();
    findings
        .map(|finding| format!("{}: {finding}", finding.severity))
        .collect()
}

/// Expects one finding, which begins with `start`.
#[track_caller]
fn expect_one(found: &[String], start: &str) {
    assert!(
        matches!(found, [one] if one.starts_with(start)),
        "expected {start:?}, found {found:#?}"
    );
}

#[track_caller]
fn expect_none(found: &[String]) {
    assert!(found.is_empty(), "{found:#?}");
}

fn target(name: &str) -> Conditions {
    Conditions {
        target: Target::named(name),
        ..Conditions::default()
    }
}

/// A kernel for x86_64 with these options beside the usual ones.
fn options(text: &str) -> Conditions {
    let usual = "BLK_DEV_INITRD PRINTK DEVTMPFS BINFMT_ELF BINFMT_SCRIPT SERIAL_8250_CONSOLE";
    let lines = usual.split(' ').map(|name| format!("CONFIG_{name}=y\n"));
    // Of two lines, the last one counts.
    let text = lines.collect::<String>() + text;
    Conditions {
        config: Config::parse(text.as_bytes()),
        ..target("x86_64")
    }
}

/// An init that needs nothing.
fn good_init() -> E {
    program("init", statically_linked().bytes())
}

fn statically_linked() -> Elf {
    Elf::library().kind(2)
}

/// The directory /lib with the interpreter that `Elf::program()` names.
fn loader() -> Vec<E> {
    let bytes = Elf::library().soname("ld-linux.so").bytes();
    vec![dir("lib"), program("lib/ld.so", bytes)]
}

/// An image that has a loader, and `more`.
fn with_loader(more: &[E]) -> Vec<E> {
    [&loader()[..], more].concat()
}
