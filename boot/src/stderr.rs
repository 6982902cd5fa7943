//! What boot and QEMU have to say beside the guest.

use std::io::{self, Write};

/// How many lines QEMU may complain before they are shown without waiting for the guest's first
/// byte.
const HELD_LINES: usize = 100;

/// QEMU's stderr: shown as it comes once the guest speaks, and before that kept for the verdict on
/// a failed start.
#[derive(Debug)]
pub struct Complaints {
    /// What is kept.
    pub held: Vec<String>,
    released: bool,
    hidden: bool,
}

impl Complaints {
    /// None yet. If they are `hidden`, they are never shown.
    pub fn new(hidden: bool) -> Self {
        Self {
            held: vec![],
            released: false,
            hidden,
        }
    }

    /// Takes a line.
    pub fn add(&mut self, line: String) {
        self.held.push(line);
        if self.released || self.held.len() > HELD_LINES {
            self.release();
        }
    }

    /// Shows what was kept, and from now on everything at once.
    pub fn release(&mut self) {
        self.released = true;
        let hidden = self.hidden;
        for line in self.held.drain(..).filter(|_| !hidden) {
            say(&format!("qemu: {line}"));
        }
    }
}

/// Prints a line on stderr, if anybody is there to read it.
pub fn say(line: &str) {
    // In one write, so that what other threads or processes print does not come between.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
