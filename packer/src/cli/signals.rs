//! Removes temporary files when a signal ends the program.

use anyhow::{Context, Result};
use packer::output;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::sync::Arc;
use std::{fs, io, thread};

/// Removes the temporary files when a signal ends the program. The program still ends by that signal, so its
/// caller can see the reason.
pub fn clean_up() -> Result<()> {
    start().context("cannot handle signals")
}

fn start() -> io::Result<()> {
    let ignored = ignored();
    let ending = [SIGHUP, SIGINT, SIGQUIT, SIGTERM].into_iter();
    let mut signals = Signals::new(ending.filter(|signal| ignored & (1 << (signal - 1)) == 0))?;
    // With any handler for this signal, write(2) fails if a file becomes too large.
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

/// The signals that were ignored when the program started, as a mask with bit 0 for signal 1. nohup(1) and
/// shells make background programs ignore signals.
fn ignored() -> u64 {
    // The system call for this needs unsafe code.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or_default()
}
