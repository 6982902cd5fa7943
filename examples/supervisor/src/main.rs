//! PID 1 as a real one: runs a program, reaps orphans, passes signals on, powers off.
//!
//! A process whose parent ends becomes a child of PID 1. When it ends in its turn, it stays as a
//! zombie, with its process id, until PID 1 asks how it ended: a PID 1 that never asks runs the
//! system out of process ids.
//!
//! A signal for which PID 1 has no handler is dropped by the kernel. But one that PID 1 blocks is
//! kept for it, and rt_sigtimedwait(2) hands it out: no handler is needed, and nothing here is ever
//! interrupted.

#![no_std]
#![no_main]

mod console;
mod signal;
mod system;

use core::ffi::CStr;

use console::{say, say_words};
use signal::{SIGCHLD, SIGKILL, SIGTERM};
use system::{Arguments, EVERYBODY, Ended, Pid};

/// The program that the system is for. It gets PID 1's environment, and its arguments: of the
/// kernel's command line, what follows `--`.
const MAIN: &CStr = c"/main";

/// How long what is left over may take to end: that many times a tenth of a second, after SIGTERM,
/// and again after SIGKILL.
const PATIENCE: usize = 20;
const TICK_NANOSECONDS: u32 = 100_000_000;

/// What [`system`]'s `_start` calls.
fn main(arguments: Arguments) -> ! {
    // Before there is a child whose end could be missed.
    system::block(signal::WAITED_FOR);
    match start(arguments) {
        Ok(program) => {
            let status = supervise(program);
            end_the_rest();
            tell(status);
        }
        Err(errno) => say("cannot start a process: errno", errno),
    }
    system::power_off()
}

/// Starts [`MAIN`], in a session of its own and with no signal blocked.
fn start(arguments: Arguments) -> Result<Pid, u32> {
    if let Some(program) = system::fork()? {
        return Ok(program);
    }
    system::new_session();
    system::unblock_all();
    let errno = system::execute(MAIN, arguments);
    say("cannot execute /main: errno", errno);
    // As a shell has it.
    system::exit(127)
}

/// Reaps whoever ends, and passes on to `program` what signals come, until it ends.
fn supervise(program: Pid) -> Status {
    loop {
        match system::next_signal(signal::WAITED_FOR) {
            SIGCHLD => {
                if let (Some(status), _) = reap(program) {
                    return status;
                }
            }
            signal => system::kill(program, signal),
        }
    }
}

/// A wait(2) status.
type Status = u32;

/// Asks after all children that have ended: there may be more of them than SIGCHLDs, since a signal
/// that is pending is not kept a second time. Gives the status of `program` if it is one of them,
/// and whether there are children left.
fn reap(program: Pid) -> (Option<Status>, bool) {
    let mut ended = None;
    loop {
        match system::wait() {
            Ended::Child(child, status) if child == program => ended = Some(status),
            Ended::Child(..) => {}
            Ended::NotYet => return (ended, true),
            Ended::NoChildren => return (ended, false),
        }
    }
}

/// Has all other processes end, be it by force.
fn end_the_rest() {
    for signal in [SIGTERM, SIGKILL] {
        system::kill(EVERYBODY, signal);
        for _ in 0..PATIENCE {
            // Once PID 1 has no child there is nobody: whoever loses its parent becomes one.
            if let (_, false) = reap(EVERYBODY) {
                return;
            }
            system::sleep(TICK_NANOSECONDS);
        }
    }
    say("some processes do not end, not even by signal", SIGKILL);
}

/// Says how [`MAIN`] ended, wait(2).
fn tell(status: Status) {
    match status & 0x7f {
        0 => say("/main exited with status", (status >> 8) & 0xff),
        signal => say("/main was killed by signal", signal),
    }
}

#[panic_handler]
fn panic(information: &core::panic::PanicInfo) -> ! {
    if let Some(place) = information.location() {
        say_words(
            &["this is a bug, in", place.file(), "at line"],
            place.line(),
        );
    }
    system::power_off()
}
