//! Linker flags for the `agent` binary, but not for the tests of the library.

const FLAGS: &[&str] = &[
    // No crt1.o and no libc: we define `_start` and call no C functions.
    "-nostartfiles",
    "-nostdlib",
    // No dynamic loader, and a fixed address, so no relocations at run time.
    "-static",
    "-no-pie",
    "-Wl,--build-id=none",
    // libcore's tables for unwinding name this function. Nothing unwinds here, and nothing calls it.
    "-Wl,--defsym=rust_eh_personality=0",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for flag in FLAGS {
        println!("cargo::rustc-link-arg-bins={flag}");
    }
}
