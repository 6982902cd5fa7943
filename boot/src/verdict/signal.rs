//! What ended PID 1, as `wait(2)` has it.

/// A signal, and what it means that it has killed PID 1.
#[derive(Debug)]
pub struct Signal {
    /// As in `signal(7)` for x86, Arm and RISC-V.
    pub number: u8,
    /// Its name.
    pub name: &'static str,
    /// What PID 1 did.
    pub meaning: &'static str,
    /// What to do about it.
    pub help: &'static str,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It exited with this status.
    Exited(u8),
    /// This signal killed it.
    Killed(u8),
}

impl End {
    /// From a `wait(2)` status.
    pub fn from_wait_status(status: u32) -> Self {
        match status & 0x7f {
            0 => End::Exited((status >> 8) as u8),
            signal => End::Killed(signal as u8),
        }
    }
}

/// The signal of that number.
pub fn signal(number: u8) -> Option<&'static Signal> {
    SIGNALS.iter().find(|signal| signal.number == number)
}

const fn row(number: u8, name: &'static str, meaning: &'static str, help: &'static str) -> Signal {
    Signal {
        number,
        name,
        meaning,
        help,
    }
}

/// The kernel shields PID 1 from every signal that it has no handler for, SIGKILL included, if a
/// process of its own namespace sends it. So most of these come only from the kernel itself.
const SENT: &str = "somebody sent it that signal";
const SENT_HELP: &str =
    "Only the kernel can do that to PID 1: look for what it says before the panic.";
const DEBUGGER: &str = "gdb shows where: run the same program on the host, if that can execute it, or the guest under QEMU's -s -S.";

#[rustfmt::skip] // A table.
const SIGNALS: &[Signal] = &[
    row(1, "SIGHUP", SENT, SENT_HELP),
    row(2, "SIGINT", SENT, SENT_HELP),
    row(3, "SIGQUIT", SENT, SENT_HELP),
    row(4, "SIGILL",
        "it executed an instruction this CPU does not have; \
         it was probably built for a newer CPU (-march=native, or a libc that is)",
        "Build it for the architecture's baseline (on x86-64, gcc: -march=x86-64, Rust: -C target-cpu=x86-64), and link a libc that \
         is, too; with --cpu max it runs if that is it. If not: a Rust panic that aborts without std, and C's \
         __builtin_trap(), stop by executing such an instruction."),
    row(5, "SIGTRAP", "it ran into a breakpoint", "Something in it stopped it on purpose (int3, brk, a debug assertion)."),
    row(6, "SIGABRT", "it called abort()", "A failed assertion, a double free or an uncaught panic does that: it has probably said which, above."),
    row(7, "SIGBUS", "it accessed memory that is not there, or not aligned",
        "A file that it has mapped may be shorter than it thinks, or the initramfs cut short."),
    row(8, "SIGFPE", "it divided by zero, or an integer division overflowed", DEBUGGER),
    row(9, "SIGKILL", "the kernel killed it; out of memory, perhaps, or because of a bug in the kernel",
        "Give the guest more with --memory, and look for an Oops above."),
    row(10, "SIGUSR1", SENT, SENT_HELP),
    row(11, "SIGSEGV", "it accessed memory that it may not",
        "A null or wild pointer, a stack overflow or a `_start` that returns does that; so does abort(), since \
         SIGABRT does not kill PID 1. gdb shows where."),
    row(12, "SIGUSR2", SENT, SENT_HELP),
    row(13, "SIGPIPE", SENT, SENT_HELP),
    row(14, "SIGALRM", SENT, SENT_HELP),
    row(15, "SIGTERM", SENT, SENT_HELP),
    row(16, "SIGSTKFLT", SENT, SENT_HELP),
    row(17, "SIGCHLD", SENT, SENT_HELP),
    row(18, "SIGCONT", SENT, SENT_HELP),
    row(19, "SIGSTOP", SENT, SENT_HELP),
    row(20, "SIGTSTP", SENT, SENT_HELP),
    row(21, "SIGTTIN", SENT, SENT_HELP),
    row(22, "SIGTTOU", SENT, SENT_HELP),
    row(23, "SIGURG", SENT, SENT_HELP),
    row(24, "SIGXCPU", "it used more time than its limit (RLIMIT_CPU)", "Raise the limit where it is set."),
    row(25, "SIGXFSZ", "it wrote a larger file than its limit (RLIMIT_FSIZE)", "Raise the limit where it is set."),
    row(26, "SIGVTALRM", SENT, SENT_HELP),
    row(27, "SIGPROF", SENT, SENT_HELP),
    row(28, "SIGWINCH", SENT, SENT_HELP),
    row(29, "SIGIO", SENT, SENT_HELP),
    row(30, "SIGPWR", SENT, SENT_HELP),
    row(31, "SIGSYS", "it made a system call that it may not (seccomp)", "Its own seccomp filter, or its libc's, does not allow the call."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_is_there_under_the_name_that_the_host_knows() {
        for (index, signal) in SIGNALS.iter().enumerate() {
            assert_eq!(usize::from(signal.number), index + 1);
            // "signal: 11 (core dumped)" has no name, "signal: 11 (SIGSEGV)" has.
            let status = std::os::unix::process::ExitStatusExt::from_raw(signal.number.into());
            let status: std::process::ExitStatus = status;
            let name = format!("({})", signal.name);
            assert!(status.to_string().contains(&name), "{status} {name}");
        }
        assert!(signal(0).is_none() && signal(34).is_none());
    }

    #[test]
    fn a_wait_status_is_decoded() {
        for (status, end) in [
            (0x0000_0000, End::Exited(0)),
            (0x0000_0700, End::Exited(7)),
            (0x0000_ff00, End::Exited(255)),
            (0x0000_0004, End::Killed(4)),
            // With a core dumped.
            (0x0000_008b, End::Killed(11)),
            (0x0000_0009, End::Killed(9)),
        ] {
            assert_eq!(End::from_wait_status(status), end, "{status:#010x}");
        }
    }
}
