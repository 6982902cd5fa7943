//! No libc and no loader: `_start` in src/system.rs is where the program begins.
fn main() {
    for flag in ["-nostartfiles", "-nostdlib", "-static", "-no-pie"] {
        println!("cargo::rustc-link-arg-bins={flag}");
    }
}
