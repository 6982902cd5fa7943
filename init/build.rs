//! Linker flags for the `init` binary, but not for its tests, which are ordinary programs.
//!
//! Both GNU ld and LLD accept every flag, because Rust 1.90 changed its default linker on x86-64 Linux from
//! GNU ld to LLD.

use std::env;

const FLAGS: &[&str] = &[
    // No crt1.o and no libc: we define `_start` and call no C functions.
    "-nostartfiles",
    "-nostdlib",
    // No dynamic loader, so no .interp, .dynamic or .dynsym. The kernel maps the program at a fixed address.
    "-static",
    // A fixed address, so no relocations at run time. Safe, because a process has its own address space.
    "-no-pie",
    // Saves a note of 36 bytes, which the gcc of some distributions adds by default. Nothing here reads it.
    "-Wl,--build-id=none",
    // Saves an index of .eh_frame, which link.ld drops. With panic = "abort", nothing unwinds.
    "-Wl,--no-eh-frame-hdr",
];

/// Writes only the memory image: no section headers, no symbols, no padding to a page. Safe, because
/// src/elf.rs defines the two headers that the kernel reads.
const FLAT: &str = "-Wl,--oformat=binary,--strip-all";

/// If this variable is set, the linker writes an ordinary ELF file for debuggers, with the image as a section
/// and with symbols. This file cannot be run.
const SYMBOLS: &str = "INIT_SYMBOLS";

fn main() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/link.ld");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={script}");
    println!("cargo::rerun-if-env-changed={SYMBOLS}");
    let flat = env::var_os(SYMBOLS).is_none().then_some(&FLAT);
    for flag in FLAGS.iter().chain(flat) {
        println!("cargo::rustc-link-arg-bins={flag}");
    }
    println!("cargo::rustc-link-arg-bins=-Wl,--script={script}");
}
