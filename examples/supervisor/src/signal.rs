//! Signals by their numbers on x86-64, signal(7), and which of them are passed on.

pub type Signal = u32;

pub const SIGKILL: Signal = 9;
pub const SIGTERM: Signal = 15;
pub const SIGCHLD: Signal = 17;

/// A set of signals as the kernel takes it: bit N - 1 for signal N.
pub type Set = u64;

/// What no process can block.
const NEVER: &[Signal] = &[SIGKILL, 19]; // SIGSTOP

/// What is about PID 1 itself, and not meant for the program: faults of its own (SIGILL, SIGTRAP,
/// SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS), and its use of a terminal (SIGTTIN, SIGTTOU).
const OWN: &[Signal] = &[4, 5, 6, 7, 8, 11, 31, 21, 22];

/// SIGCHLD, which says that a child has ended, and what is passed on: everything else, with the
/// real-time signals.
pub const WAITED_FOR: Set = !(set(NEVER) | set(OWN));

const fn set(signals: &[Signal]) -> Set {
    match signals {
        [] => 0,
        [first, rest @ ..] => (1 << (*first - 1)) | set(rest),
    }
}
