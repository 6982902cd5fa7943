//! What signals do that end the program.

use anyhow::{Context, Result};
use packer::output;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::sync::Arc;
use std::{fs, io, thread};

/// Has the files removed that are not complete when a signal ends the program. It still ends by that
/// signal, as its caller can see.
pub fn clean_up() -> Result<()> {
    start().context("cannot handle signals")
}

fn start() -> io::Result<()> {
    let ignored = ignored();
    let ending = [SIGHUP, SIGINT, SIGQUIT, SIGTERM].into_iter();
    let mut signals = Signals::new(ending.filter(|signal| ignored & (1 << (signal - 1)) == 0))?;
    // With a handler, whatever it does, a file that becomes too large is an error of write(2).
    signal_hook::flag::register(SIGXFSZ, Arc::default())?;
    let handle = move || {
        for signal in signals.forever() {
            let _no_more_files = output::abandon();
            let _ = emulate_default_handler(signal);
        }
    };
    thread::Builder::new()
        .name("signals".into())
        .spawn(handle)?;
    Ok(())
}

/// The signals that the program was started to ignore, bit 0 for the first: as nohup(1) does it, and
/// shells with what they run in the background.
fn ignored() -> u64 {
    // There is no asking for it without unsafe code.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or_default()
}
