//! How PID 1 ended, from its `wait(2)` status, and the table of signals.

/// A signal that killed PID 1.
#[derive(Debug)]
pub struct Signal {
    /// The number in `signal(7)` for x86, Arm and RISC-V.
    pub number: u8,
    /// Its name.
    pub name: &'static str,
    /// The action of PID 1 that caused the signal.
    pub meaning: &'static str,
    /// The advice.
    pub help: &'static str,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It exited, with this status.
    Exited(u8),
    /// A signal killed it, with this number.
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

/// The signal with that number.
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

/// PID 1 gets no signal from the processes of its namespace unless it has a handler for it, not even
/// SIGKILL. So most of these signals come from the kernel itself.
const SENT: &str = "it was sent this signal";
const SENT_HELP: &str =
    "Only the kernel can kill PID 1 with a signal. Read the kernel's messages before the panic.";
const DEBUGGER: &str =
    "Find the place with gdb: run the same program on the host, or boot the guest with --gdb.";

#[rustfmt::skip] // A table.
const SIGNALS: &[Signal] = &[
    row(1, "SIGHUP", SENT, SENT_HELP),
    row(2, "SIGINT", SENT, SENT_HELP),
    row(3, "SIGQUIT", SENT, SENT_HELP),
    row(4, "SIGILL",
        "it executed an instruction this CPU does not have; \
         it was probably built for a newer CPU (with -march=native, or with a libc for newer CPUs)",
        "Build the program and its libc for the architecture's baseline (on x86-64, gcc: -march=x86-64, Rust: -C target-cpu=x86-64). \
         To test whether that is the cause, boot with --cpu max. If it is not, the program stopped on purpose: C's __builtin_trap() \
         and a Rust panic without std execute an invalid instruction."),
    row(5, "SIGTRAP", "it ran into a breakpoint", "The program contains a breakpoint instruction (int3, brk), from a debug assertion for example."),
    row(6, "SIGABRT", "it called abort()", "The cause is a failed assertion, a double free or an uncaught panic. The program's last lines probably say which."),
    row(7, "SIGBUS", "it accessed memory that does not exist or is not aligned",
        "A file that it mapped may have become shorter, or the initramfs may be truncated."),
    row(8, "SIGFPE", "it divided by zero, or an integer division overflowed", DEBUGGER),
    row(9, "SIGKILL", "the kernel killed it, because the guest ran out of memory or the kernel has a bug",
        "Give the guest more memory with --memory, and look for an Oops in the output above."),
    row(10, "SIGUSR1", SENT, SENT_HELP),
    row(11, "SIGSEGV", "it accessed memory that it must not access",
        "The cause is an invalid pointer, a stack overflow, a `_start` that returns, or a call of abort(): SIGABRT does not kill \
         PID 1, so the libc then executes a privileged instruction. Find the place with gdb: boot with --gdb."),
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
    row(24, "SIGXCPU", "it used more time than its limit (RLIMIT_CPU)", "Raise the limit."),
    row(25, "SIGXFSZ", "it wrote a larger file than its limit (RLIMIT_FSIZE)", "Raise the limit."),
    row(26, "SIGVTALRM", SENT, SENT_HELP),
    row(27, "SIGPROF", SENT, SENT_HELP),
    row(28, "SIGWINCH", SENT, SENT_HELP),
    row(29, "SIGIO", SENT, SENT_HELP),
    row(30, "SIGPWR", SENT, SENT_HELP),
    row(31, "SIGSYS", "it made a system call that a seccomp filter forbids", "Allow the call in the filter of the program or of its libc."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_signal_with_the_hosts_name() {
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
