//! The table of the kernel's messages that report why a boot failed.

use serde::Serialize;

use crate::console::message::PANIC;
use crate::verdict::signal::{self, End};

/// A problem that the kernel reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The problem.
    #[serde(flatten)]
    pub cause: Cause,
    /// The kernel's message.
    pub said: String,
}

impl Finding {
    /// Whether PID 1 was killed, or ended with a status other than 0.
    pub fn is_end_of_init(&self) -> bool {
        match self.cause {
            Cause::InitExited { status } => status != 0,
            Cause::InitKilled { .. } => true,
            _ => false,
        }
    }
}

/// The cause of a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Cause {
    /// The kernel could not unpack all of the initramfs. It continues with the files that it unpacked.
    UnpackingFailed {
        /// The reason, in the kernel's words.
        reason: String,
    },
    /// The initramfs has neither `/init` nor another file that the kernel runs as init.
    NoInit {
        /// The requested file, if the kernel names it.
        path: Option<String>,
    },
    /// The kernel found no init because it did not read the initramfs.
    InitramfsIgnored,
    /// The kernel found no root file system: it did not use an initramfs.
    NoRoot,
    /// The kernel could not execute a file as init.
    InitNotStarted {
        /// The file.
        path: String,
        /// The `errno(3)`, positive.
        error: i32,
    },
    /// PID 1 exited.
    InitExited {
        /// The exit status.
        status: u8,
    },
    /// A signal killed PID 1.
    InitKilled {
        /// The signal's number.
        signal: u8,
        /// The signal's name, if it has one.
        name: Option<&'static str>,
        /// The kernel's message about the instruction that caused the signal.
        fault: Option<String>,
    },
    /// The kernel panicked for another reason.
    Panic {
        /// The reason, in the kernel's words.
        reason: String,
    },
    /// The kernel found a bug in itself.
    Oops,
    /// A CPU was busy in the kernel for too long.
    Lockup,
    /// A process waited in the kernel for too long.
    HungTask,
    /// The guest has no memory left.
    OutOfMemory,
    /// Init has no console, so its output is lost.
    NoConsole,
}

/// The kernel's messages before it reads the initramfs (init/initramfs.c): without CONFIG_BLK_DEV_RAM,
/// and with it.
pub const UNPACKING: &[&str] = &[
    "Unpacking initramfs...",
    "Trying to unpack rootfs image as initramfs...",
];

/// The problem that `message`, one of the kernel's, reports.
pub fn finding(message: &str) -> Option<Finding> {
    let cause = match message.strip_prefix(PANIC) {
        Some(reason) => Some(of_panic(reason.trim_start())),
        None => look_up(MESSAGES, message),
    };
    cause.map(|cause| Finding {
        cause,
        said: message.to_owned(),
    })
}

/// The cause of a panic with this reason.
fn of_panic(reason: &str) -> Cause {
    look_up(PANICS, reason).unwrap_or_else(|| Cause::Panic {
        reason: reason.to_owned(),
    })
}

/// Whether `message` reports the instruction at which PID 1 caused a fault.
pub fn is_fault_of_init(message: &str) -> bool {
    // arch/x86/kernel/traps.c and arch/x86/mm/fault.c: "traps: NAME[PID] trap invalid opcode ip:",
    // "NAME[PID]: segfault at ".
    (message.starts_with("traps: ") && message.contains("[1] "))
        || message.contains("[1]: segfault at ")
}

fn look_up(table: &[Row], message: &str) -> Option<Cause> {
    table
        .iter()
        .filter_map(|(beginning, cause)| cause(message.strip_prefix(beginning)?))
        .next()
}

/// The beginning of a message, and a parser for the rest. If the parser returns nothing, it is another
/// message with the same beginning.
type Row = (&'static str, fn(&str) -> Option<Cause>);

/// The messages, from the kernel's sources.
const MESSAGES: &[Row] = &[
    // init/initramfs.c
    ("Initramfs unpacking failed: ", unpacking),
    ("rootfs image is not initramfs (", not_initramfs),
    ("INITRD: ", disabled),
    // arch/*/kernel/setup.c
    ("Initrd not found or empty", disabled),
    ("initrd extends beyond end of memory", disabled),
    // init/main.c
    ("Failed to execute ", not_started),
    ("Starting init: ", not_started),
    ("Default init ", not_started_if_there),
    ("check access for rdinit=", not_there),
    ("Warning: unable to open an initial console.", |_| {
        Some(Cause::NoConsole)
    }),
    // kernel/watchdog.c, with the wording before Linux 4.15. These rows must precede "BUG: ".
    ("watchdog: BUG: soft lockup", lockup),
    ("watchdog: Watchdog detected hard LOCKUP", lockup),
    ("BUG: soft lockup", lockup),
    // kernel/workqueue.c
    ("BUG: workqueue lockup", lockup),
    // kernel/rcu/tree_stall.h, with the wording before Linux 4.18.
    ("rcu: INFO: rcu_", lockup),
    ("INFO: rcu_", lockup),
    // kernel/hung_task.c
    ("INFO: task ", hung_task),
    // mm/oom_kill.c. ("Memory cgroup out of memory" is about a limit that the guest has set itself.)
    ("Out of memory: Kill", oom),
    ("Out of memory and no killable processes", oom),
    // arch/x86/mm/fault.c, lib/bug.c, and many more.
    ("BUG: ", oops),
    ("kernel BUG at ", oops),
    // arch/x86/kernel/dumpstack.c ("Oops: invalid opcode: 0000 [#1]"), arch/riscv ("Oops [#1]"), arch/arm64.
    ("Oops: ", oops),
    ("Oops [#", oops),
    ("Internal error: ", numbered_oops),
    ("Unable to handle kernel ", oops),
    // arch/x86 before Linux 6.10, without "Oops: " in front.
    ("general protection fault", numbered_oops),
    ("invalid opcode: ", numbered_oops),
    ("divide error: ", numbered_oops),
    ("stack segment: ", numbered_oops),
];

/// The reasons of panics that are causes of their own.
const PANICS: &[Row] = &[
    // kernel/exit.c
    // "init" follows; output of a program may be mixed into it.
    ("Attempted to kill ", ended),
    // init/main.c
    ("No working init found.", |_| {
        Some(Cause::NoInit { path: None })
    }),
    ("Requested init ", not_started_if_there),
    // init/do_mounts.c
    ("VFS: Unable to mount root fs", |_| Some(Cause::NoRoot)),
    // mm/oom_kill.c
    ("System is deadlocked on memory", oom),
    ("Out of memory", oom),
    // kernel/watchdog.c, kernel/rcu/tree_stall.h, kernel/hung_task.c
    ("softlockup: hung tasks", lockup),
    ("Hard LOCKUP", lockup),
    ("RCU Stall", lockup),
    ("hung_task: blocked tasks", hung_task),
];

fn unpacking(reason: &str) -> Option<Cause> {
    Some(Cause::UnpackingFailed {
        reason: reason.to_owned(),
    })
}

/// `REASON); looks like an initrd`, from a kernel with CONFIG_BLK_DEV_RAM.
fn not_initramfs(rest: &str) -> Option<Cause> {
    unpacking(rest.rsplit_once("); looks like an initrd")?.0)
}

/// `... - disabling initrd`
fn disabled(rest: &str) -> Option<Cause> {
    rest.contains("disabling initrd")
        .then_some(Cause::InitramfsIgnored)
}

/// `PATH ... (error -ERRNO)`.
fn not_started(rest: &str) -> Option<Cause> {
    let (before, error) = rest.rsplit_once("(error -")?;
    let path = [" exists but", " failed"]
        .iter()
        .find_map(|end| Some(before.rsplit_once(end)?.0))
        .unwrap_or(before);
    Some(Cause::InitNotStarted {
        path: path.trim().to_owned(),
        error: error.split(')').next()?.parse().ok()?,
    })
}

/// The same for a file that the kernel has not looked for before. Here ENOENT probably means that the
/// file is missing; after a check for the file it means that its interpreter is missing.
fn not_started_if_there(rest: &str) -> Option<Cause> {
    not_started(rest).map(|cause| match cause {
        Cause::InitNotStarted { path, error: 2 } => Cause::NoInit { path: Some(path) },
        cause => cause,
    })
}

/// `PATH failed: -ERRNO, ignoring`, since Linux 6.17.
fn not_there(rest: &str) -> Option<Cause> {
    let path = rest.rsplit_once(" failed: -")?.0.to_owned();
    Some(Cause::NoInit { path: Some(path) })
}

/// `init! exitcode=0x` and eight hexadecimal digits of `wait(2)` status.
fn ended(rest: &str) -> Option<Cause> {
    let (_, digits) = rest.split_once("! exitcode=0x")?;
    // The line may still be incomplete.
    let status = u32::from_str_radix(digits.get(..8)?, 16).ok()?;
    Some(match End::from_wait_status(status) {
        End::Exited(status) => Cause::InitExited { status },
        End::Killed(signal) => Cause::InitKilled {
            signal,
            name: signal::signal(signal).map(|signal| signal.name),
            fault: None,
        },
    })
}

/// Only an oops has a number, `... [#1] ...`; the kernel's messages about programs have none.
fn numbered_oops(rest: &str) -> Option<Cause> {
    rest.contains("[#").then_some(Cause::Oops)
}

fn oops(_: &str) -> Option<Cause> {
    Some(Cause::Oops)
}

fn lockup(_: &str) -> Option<Cause> {
    Some(Cause::Lockup)
}

fn hung_task(rest: &str) -> Option<Cause> {
    // The rest is empty after "hung_task: blocked tasks", a panic's reason.
    (rest.is_empty() || rest.contains(" blocked for more than ")).then_some(Cause::HungTask)
}

fn oom(_: &str) -> Option<Cause> {
    Some(Cause::OutOfMemory)
}

#[cfg(test)]
mod tests;
