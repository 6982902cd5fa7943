//! Runs `init` as an ordinary process, and kills it at the end of a test, because it never ends itself.

use std::io;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The program under test.
pub const INIT: &str = env!("CARGO_BIN_EXE_init");

/// How long to wait for a condition. Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A child process that is killed when this is dropped, also if a test panics.
pub struct Running(pub Child);

impl Running {
    pub fn start(command: &mut Command) -> io::Result<Self> {
        command.spawn().map(Self)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Polls until `condition` holds; panics with `what` if that takes too long.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < PATIENCE,
            "waited {PATIENCE:?} in vain: {what}"
        );
        sleep(Duration::from_millis(5));
    }
}
