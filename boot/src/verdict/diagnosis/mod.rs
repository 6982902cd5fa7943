//! What the kernel's messages say about why a boot failed: the table of them.

use serde::Serialize;

use crate::console::message::PANIC;
use crate::verdict::signal::{self, End};

/// Something that the kernel complained about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    #[serde(flatten)]
    pub cause: Cause,
    /// The kernel's words.
    pub said: String,
}

impl Finding {
    /// Whether it is that PID 1 ended, other than as if all were well.
    pub fn is_end_of_init(&self) -> bool {
        match self.cause {
            Cause::InitExited { status } => status != 0,
            Cause::InitKilled { .. } => true,
            _ => false,
        }
    }
}

/// What went wrong in a guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Cause {
    /// The kernel could not unpack all of the initramfs. It goes on with what it has.
    UnpackingFailed {
        /// In the kernel's words.
        reason: String,
    },
    /// There is no `/init`, nor another file that the kernel would take for it.
    NoInit {
        /// The file that was asked for, if the kernel names it.
        path: Option<String>,
    },
    /// There is none because the kernel did not look at the initramfs.
    InitramfsIgnored,
    /// The kernel has no root file system, so it used no initramfs.
    NoRoot,
    /// A file could not be executed as init.
    InitNotStarted {
        /// The file.
        path: String,
        /// The `errno(3)`, positive.
        error: i32,
    },
    /// PID 1 ended by itself.
    InitExited {
        /// With this status.
        status: u8,
    },
    /// PID 1 was killed.
    InitKilled {
        /// By this signal.
        signal: u8,
        /// The signal's name, if it has one.
        name: Option<&'static str>,
        /// What the kernel said about the instruction that did it.
        fault: Option<String>,
    },
    /// The kernel gave up for another reason.
    Panic {
        /// In its words.
        reason: String,
    },
    /// The kernel found a bug in itself.
    Oops,
    /// A CPU has been busy in the kernel for too long.
    Lockup,
    /// A process has been waiting in the kernel for too long.
    HungTask,
    /// There is no memory left.
    OutOfMemory,
    /// What init writes goes nowhere.
    NoConsole,
}

impl Cause {
    /// The tag of its JSON form.
    pub fn kind(&self) -> &'static str {
        match self {
            Cause::UnpackingFailed { .. } => "unpacking-failed",
            Cause::NoInit { .. } => "no-init",
            Cause::InitramfsIgnored => "initramfs-ignored",
            Cause::NoRoot => "no-root",
            Cause::InitNotStarted { .. } => "init-not-started",
            Cause::InitExited { .. } => "init-exited",
            Cause::InitKilled { .. } => "init-killed",
            Cause::Panic { .. } => "panic",
            Cause::Oops => "oops",
            Cause::Lockup => "lockup",
            Cause::HungTask => "hung-task",
            Cause::OutOfMemory => "out-of-memory",
            Cause::NoConsole => "no-console",
        }
    }
}

/// How the kernel says that it looks at the initramfs (init/initramfs.c), without CONFIG_BLK_DEV_RAM and
/// with it.
pub const UNPACKING: &[&str] = &[
    "Unpacking initramfs...",
    "Trying to unpack rootfs image as initramfs...",
];

/// What `message`, one of the kernel's, complains about.
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

/// Why the kernel says that it gave up.
fn of_panic(reason: &str) -> Cause {
    look_up(PANICS, reason).unwrap_or_else(|| Cause::Panic {
        reason: reason.to_owned(),
    })
}

/// Whether `message` tells which instruction of PID 1 the CPU refused.
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

/// How a message begins, and what the rest of it says. Where the rest is not as it should be, it is
/// another message.
type Row = (&'static str, fn(&str) -> Option<Cause>);

/// The messages, as the kernel's sources have them.
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
    // kernel/watchdog.c, and what it wrote before Linux 4.15. Before "BUG: ", which others begin with, too.
    ("watchdog: BUG: soft lockup", lockup),
    ("watchdog: Watchdog detected hard LOCKUP", lockup),
    ("BUG: soft lockup", lockup),
    // kernel/workqueue.c
    ("BUG: workqueue lockup", lockup),
    // kernel/rcu/tree_stall.h, and what it wrote before Linux 4.18.
    ("rcu: INFO: rcu_", lockup),
    ("INFO: rcu_", lockup),
    // kernel/hung_task.c
    ("INFO: task ", hung_task),
    // mm/oom_kill.c. (A "Memory cgroup out of memory" is a limit of the guest's own.)
    ("Out of memory: Kill", oom),
    ("Out of memory and no killable processes", oom),
    // arch/x86/mm/fault.c, lib/bug.c, and everybody who finds something that cannot be.
    ("BUG: ", oops),
    ("kernel BUG at ", oops),
    // arch/x86/kernel/dumpstack.c ("Oops: invalid opcode: 0000 [#1]"), arch/riscv ("Oops [#1]"), arch/arm64.
    ("Oops: ", oops),
    ("Oops [#", oops),
    ("Internal error: ", numbered_oops),
    ("Unable to handle kernel ", oops),
    // arch/x86 before Linux 6.10, which had no "Oops: " before these.
    ("general protection fault", numbered_oops),
    ("invalid opcode: ", numbered_oops),
    ("divide error: ", numbered_oops),
    ("stack segment: ", numbered_oops),
];

/// The reasons of panics that say more than that it is one.
const PANICS: &[Row] = &[
    // kernel/exit.c
    // Behind "init", what a program writes at the same time may be among its letters.
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

/// `REASON); looks like an initrd`, where the kernel supports those, too.
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

/// The same of a file that the kernel has not looked for before. Then ENOENT, which otherwise means
/// that its interpreter is missing, is more likely about the file.
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
    // A panic may be looked at before its line is complete.
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

/// `... [#1] ...`, the number of the oops, tells it from what the kernel says about programs.
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
    // "hung_task: blocked tasks" is the whole of the panic.
    (rest.is_empty() || rest.contains(" blocked for more than ")).then_some(Cause::HungTask)
}

fn oom(_: &str) -> Option<Cause> {
    Some(Cause::OutOfMemory)
}

#[cfg(test)]
mod tests;
