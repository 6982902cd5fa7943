//! Linker flags. They reach the `init` binary only: its tests are ordinary programs.
//!
//! Every flag is understood by GNU ld and by LLD, because Rust's default linker on x86-64 Linux
//! changed from the one to the other in Rust 1.90.

use std::env;

const FLAGS: &[&str] = &[
    // No crt1.o and no libc: `_start` is ours, and nothing here calls into C.
    "-nostartfiles",
    "-nostdlib",
    // No dynamic loader, hence no .interp, .dynamic or .dynsym. The kernel maps us where we say.
    "-static",
    // One fixed address, hence no relocations at run time. Safe: PID 1 has an address space to itself.
    "-no-pie",
    // A note of 36 bytes that nobody looks for here; some distributions' gcc asks for it by default.
    "-Wl,--build-id=none",
    // An index over .eh_frame, which the script drops: with panic = "abort" nothing ever unwinds.
    "-Wl,--no-eh-frame-hdr",
];

/// The memory image and nothing else: no section headers, no symbols, no padding to a page. Safe
/// because src/elf.rs supplies the two headers that the kernel reads.
const FLAT: &str = "-Wl,--oformat=binary,--strip-all";

/// If set, what is linked is for a debugger to read, and not to be run: the same image as a section
/// of an ordinary ELF file, with symbols.
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
