//! An ordinary program, with std, as PID 1. It must never end: that panics the kernel.

use std::fs;
use std::thread;

fn main() {
    println!("Hello from std, as PID {}!", std::process::id());
    for entry in fs::read_dir("/").expect("a root directory") {
        println!(
            "/{}",
            entry.expect("an entry").file_name().to_string_lossy()
        );
    }
    loop {
        thread::park();
    }
}
