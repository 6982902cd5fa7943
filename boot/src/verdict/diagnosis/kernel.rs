//! Messages about the kernel itself: panics, oopses, lockups, and memory.

use super::{Cause, Row, Words, part, row};

pub(super) const MESSAGES: &[Row] = &[
    // Before 4.15 without "watchdog: ". These rows must precede "BUG: ".
    row(
        "watchdog: BUG: soft lockup",
        lockup_cause,
        "kernel/watchdog.c",
    ),
    row(
        "BUG: soft lockup",
        lockup_cause,
        "kernel/watchdog.c, until 4.14",
    ),
    // Before 4.11.
    row(
        "NMI watchdog: BUG: soft lockup",
        lockup_cause,
        "kernel/watchdog.c, until 4.10",
    ),
    // Since 6.19 with "CPU0: " in front.
    part(
        "Watchdog detected hard LOCKUP on cpu",
        lockup_cause,
        "kernel/watchdog.c",
    ),
    row("BUG: workqueue lockup", lockup_cause, "kernel/workqueue.c"),
    // Before 4.18 without "rcu: ".
    row(
        "rcu: INFO: rcu_",
        stall,
        "kernel/rcu/tree_stall.h, composed",
    ),
    row("INFO: rcu_", stall, "kernel/rcu/tree.c, until 4.17"),
    row("INFO: task ", hung, "kernel/hung_task.c"),
    // ("Memory cgroup out of memory" is about a limit that the guest has set itself.)
    row("Out of memory: Kill", killed, "mm/oom_kill.c"),
    row(
        "Out of memory (oom_kill_allocating_task): Kill",
        killed,
        "mm/oom_kill.c",
    ),
    row(
        "Out of memory and no killable processes",
        oom,
        "mm/oom_kill.c",
    ),
    row("BUG: KASAN: ", sanitizer, "mm/kasan/report.c"),
    row("BUG: KFENCE: ", sanitizer, "mm/kfence/report.c"),
    // arch/x86/mm/fault.c, lib/bug.c, and many more.
    row("BUG: ", bug_or_leak, "arch/x86/mm/fault.c"),
    row("kernel BUG at ", bug, "lib/bug.c"),
    row("PANIC: double fault", bug, "arch/x86/kernel/traps.c"),
    // "Oops: invalid opcode: 0000 [#1]" on x86, "Oops [#1]" on riscv, "Internal error: Oops: 96000004 [#1]" on arm64.
    row("Oops: ", bug, "arch/x86/kernel/dumpstack.c"),
    row("Oops [#", bug, "arch/riscv/mm/fault.c, composed"),
    row(
        "Internal error: ",
        numbered_bug,
        "arch/arm64/kernel/traps.c",
    ),
    row("Unable to handle kernel ", bug, "arch/arm64/mm/fault.c"),
    row("CPU ", mips, "arch/mips/mm/fault.c"),
    row("Oops[#", bug, "arch/mips/kernel/traps.c, composed"),
    // A panic follows.
    row(
        "SError Interrupt on CPU",
        |_| {
            Some(Cause::Panic {
                reason: "Asynchronous SError Interrupt".into(),
            })
        },
        "arch/arm64/kernel/traps.c",
    ),
    row(
        "Insufficient stack space to handle exception!",
        bug,
        "arch/riscv/kernel/traps.c",
    ),
    row("Oops - ", numbered_bug, "arch/riscv/kernel/traps.c"),
    row("Kernel BUG", bug, "arch/riscv/kernel/traps.c"),
    // Before 6.10 without "Oops: " in front: "invalid opcode: 0000 [#1]", "stack guard page: 0000 [#1]".
    row(
        "general protection fault",
        numbered_bug,
        "arch/x86/kernel/traps.c",
    ),
    part(": 0000 [#1]", bug, "arch/x86/kernel/dumpstack.c, composed"),
];

pub(super) const PANICS: &[Row] = &[
    row("System is deadlocked on memory", oom, "mm/oom_kill.c"),
    row("Out of memory", oom, "mm/oom_kill.c"),
    row("softlockup: hung tasks", lockup_cause, "kernel/watchdog.c"),
    row("Hard LOCKUP", lockup_cause, "kernel/watchdog.c"),
    row("RCU Stall", lockup_cause, "kernel/rcu/tree_stall.h"),
    row("workqueue: ", lockup_cause, "kernel/workqueue.c"),
    row(
        "hung_task: blocked tasks",
        |_| Some(Cause::HungTask { task: None }),
        "kernel/hung_task.c",
    ),
];

/// `BUG: ...`, unless a tool that searches for leaks says so, after which the kernel goes on.
fn bug_or_leak(rest: &str) -> Option<Cause> {
    (!rest.starts_with("memory leak"))
        .then(|| bug(rest))
        .flatten()
}

fn bug(_: &str) -> Option<Cause> {
    Some(Cause::Oops { at: None })
}

/// `KIND in FUNCTION+0x1/0x2`
fn sanitizer(rest: &str) -> Option<Cause> {
    let at = rest.split_once(" in ").map(|(_, at)| at.to_owned());
    Some(Cause::Oops { at })
}

/// Only an oops has a number, `... [#1] ...`; the kernel's messages about programs have none.
fn numbered_bug(rest: &str) -> Option<Cause> {
    rest.contains("[#").then_some(Cause::Oops { at: None })
}

/// `NUMBER Unable to handle kernel paging request at virtual address ...`
fn mips(rest: &str) -> Option<Cause> {
    let is_oops = rest.contains(" Unable to handle kernel ");
    is_oops.then_some(Cause::Oops { at: None })
}

fn lockup_cause(_: &str) -> Option<Cause> {
    Some(Cause::Lockup)
}

/// `NAME self-detected stall on CPU`, `NAME detected stalls on CPUs/tasks:`. Other messages of RCU begin like that. `NAME detected
/// expedited stalls` comes after a much shorter time, and is harmless.
fn stall(rest: &str) -> Option<Cause> {
    let is_stall = rest.contains("detected ") && !rest.contains(" expedited ");
    is_stall.then_some(Cause::Lockup)
}

/// `NAME:PID blocked for more than SECONDS seconds.`, since 6.17 also `blocked in I/O wait for more than`.
fn hung(rest: &str) -> Option<Cause> {
    let (task, _) = rest.split_once(" blocked ")?;
    let (name, pid) = task.rsplit_once(':')?;
    rest.contains(" for more than ").then(|| Cause::HungTask {
        task: Some(format!("{name} (process {pid})")),
    })
}

fn oom(_: &str) -> Option<Cause> {
    Some(Cause::OutOfMemory { killed: None })
}

/// `ed process PID (NAME) total-vm:..., anon-rss:NUMBERkB, ...`; before 4.19 ` process PID (NAME) score ...`.
fn killed(rest: &str) -> Option<Cause> {
    let parse = || {
        let (_, rest) = rest.split_once("process ")?;
        let (pid, rest) = rest.split_once(" (")?;
        let (name, rest) = rest.split_once(')')?;
        let memory = || {
            let (_, rest) = rest.split_once("anon-rss:")?;
            let kib: u64 = rest.split_once("kB")?.0.parse().ok()?;
            Some(format!(", which used {} MiB", kib / 1024))
        };
        Some(format!(
            "{name} (process {pid}){}",
            memory().unwrap_or_default()
        ))
    };
    Some(Cause::OutOfMemory { killed: parse() })
}

/// The place of an oops, from one of the messages that follow it.
pub fn place(message: &str) -> Option<&str> {
    // "RIP: 0010:FUNCTION+0x1/0x2", before 4.10 "IP: [<ADDRESS>] FUNCTION+0x1/0x2" (arch/x86/kernel/dumpstack.c),
    // "pc : FUNCTION+0x1/0x2" (arch/arm64/kernel/process.c), "PC is at FUNCTION+0x1/0x2" (arch/arm/kernel/process.c),
    // "epc : FUNCTION+0x1/0x2 ra : ..." (arch/riscv/kernel/process.c), "epc   : ADDRESS FUNCTION+0x1/0x2"
    // (arch/mips/kernel/traps.c), "NIP [ADDRESS] FUNCTION+0x1/0x2" (arch/powerpc/kernel/process.c).
    const PLACES: &[&str] = &["IP: ", "pc : ", "PC is at ", "epc : ", "epc   : ", "NIP ["];
    let rest = message
        .strip_prefix("RIP: ")
        .and_then(|rest| Some(rest.split_once(':')?.1))
        .or_else(|| PLACES.iter().find_map(|place| message.strip_prefix(place)))?;
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    // A kernel without symbols prints only an address.
    let first = words.clone().next();
    words.find(|word| word.contains("+0x")).or(first)
}

pub(super) fn panic(reason: &str) -> Words {
    let words = |help| Words::new("panic", format!("kernel panic: {reason}"), help);
    match REASONS.iter().find(|row| reason.contains(row.part)) {
        Some(row) => words(row.help).because(row.meaning),
        None => words("Read the kernel's messages before the panic."),
    }
}

/// Why the kernel panicked.
struct Reason {
    /// A part of the reason, in the kernel's words.
    part: &'static str,
    meaning: &'static str,
    help: &'static str,
}

const fn reason(part: &'static str, meaning: &'static str, help: &'static str) -> Reason {
    Reason {
        part,
        meaning,
        help,
    }
}

const EARLY_MEMORY: &str = "the guest has too little memory to boot";
const EARLY_MEMORY_HELP: &str = "Give the guest more memory with --memory. A large initramfs, a kdump reservation (crashkernel=) and huge pages \
                                 (hugepages=) take their part before anything else.";

/// From special to general.
#[rustfmt::skip] // A table.
const REASONS: &[Reason] = &[
    // arch/x86/kernel/apic/io_apic.c
    reason("IO-APIC + timer doesn't work", "the timer's interrupts did not reach the CPU in time",
        "In QEMU, without KVM and on a busy host, the emulated timer can be too slow for this test. Boot again, or add no_timer_check to the \
         kernel's command line (boot does that under TCG). On real hardware, noapic or a firmware update may help."),
    // arch/x86/kernel/traps.c, arch/x86/kernel/cpu/mce/core.c
    reason("Machine check", "the hardware reported an error (a machine check)",
        "On real hardware, the lines with [Hardware Error] name the part: memory, cache or bus. In a virtual machine, the host has passed on an \
         error of its own hardware."),
    reason("machine check", "the hardware reported an error (a machine check)",
        "On real hardware, the lines with [Hardware Error] name the part: memory, cache or bus."),
    // kernel/panic.c
    reason("stack-protector: Kernel stack is corrupted", "a function of the kernel wrote over the end of a buffer on its stack",
        "The reason names the function. The kernel or a module has a bug."),
    reason("panic_on_warn set", "the kernel printed a warning, and panic_on_warn turns a warning into a panic",
        "The line with \"WARNING: \" above says where. Without panic_on_warn=1 on the kernel's command line the guest continues."),
    reason("system warned too often", "the kernel printed as many warnings as kernel.warn_limit allows",
        "The lines with \"WARNING: \" above say where."),
    reason("Oopsed too often", "the kernel had as many oopses as kernel.oops_limit allows", "The first oops above is the cause."),
    // kernel/exit.c
    reason("Attempted to kill the idle task", "the kernel failed in a CPU's idle task, so there was no process that it could kill instead",
        "The oops above is the cause."),
    reason("Aiee, killing interrupt handler", "the kernel failed in an interrupt", "The oops above is the cause."),
    // arch/*/kernel/traps.c, arch/x86/kernel/dumpstack.c
    reason("Fatal exception", "an oops becomes a panic in an interrupt, or if panic_on_oops is set",
        "The oops above is the cause. If it is missing, the log begins too late, or loglevel= hides it."),
    // drivers/tty/sysrq.c
    reason("sysrq triggered crash", "a person or a program asked for it with SysRq-C or /proc/sysrq-trigger",
        "The kernel itself did not fail."),
    // arch/arm64/kernel/traps.c
    reason("Asynchronous SError Interrupt", "an access to hardware failed after the CPU had gone on (an SError)",
        "The device tree probably describes a device that is not there, or whose clock or power is off; or the device tree is for another \
         machine than QEMU's."),
    // arch/um/kernel/trap.c
    reason("Kernel mode fault at addr", "the kernel accessed memory that it must not access", "The kernel has a bug; its stack trace follows the panic."),
    reason("Segfault with no mm", "the kernel accessed memory that it must not access", "In user-mode Linux, mem= may be too large. If not, the kernel has a bug: read the registers above the panic, and the stack trace below it."),
    // drivers/md/dm-verity-target.c
    reason("dm-verity device", "a disk does not match its dm-verity hash, or cannot be read",
        "Build the image and its hash again, together."),
    // fs/*/super.c
    reason("panic forced after error", "a file system has an error, and is mounted with errors=panic",
        "The lines above name the error. Run fsck on the disk, or build the image again."),
    // drivers/irqchip, arch/arm64, arch/riscv
    reason("No interrupt controller found", "the device tree names no interrupt controller for which the kernel has a driver",
        "Build the kernel with the driver for this machine's interrupt controller, or use the device tree of this machine."),
    reason("Unable to initialise architected timer", "the device tree does not describe the CPU's timer", "Use the device tree of this machine."),
    reason("timebase-frequency", "the device tree does not give the rate of the CPU's timer", "Use the device tree of this machine."),
    reason("detected unsupported configuration", "the CPUs differ in a way that the kernel does not support", "Use another CPU model, or one CPU (--smp 1)."),
    reason("granule", "the CPU does not support the kernel's page size", "Build the kernel with CONFIG_ARM64_4K_PAGES=y, or use another CPU model (--cpu max)."),
    // mm, arch/x86/mm/init.c, arch/x86/realmode/init.c
    reason("Real mode trampoline was not allocated", EARLY_MEMORY, EARLY_MEMORY_HELP),
    reason("can not alloc memory", EARLY_MEMORY, EARLY_MEMORY_HELP),
    reason("Cannot find place for new RAMDISK", EARLY_MEMORY, EARLY_MEMORY_HELP),
    reason("ailed to allocate", EARLY_MEMORY, EARLY_MEMORY_HELP),
    reason("annot allocate", EARLY_MEMORY, EARLY_MEMORY_HELP),
    reason("ould not allocate", EARLY_MEMORY, EARLY_MEMORY_HELP),
];

pub(super) fn oops(at: Option<&str>) -> Words {
    // A kernel without CONFIG_KALLSYMS has addresses only.
    let place = at.map(|at| match at.starts_with("0x") {
        true => format!(" at {at}"),
        false => format!(" in {at}"),
    });
    let place = place.unwrap_or_default();
    Words::new(
        "oops",
        format!("the kernel ran into a bug of its own (an oops){place}"),
        "The kernel or one of its modules has a bug, or its configuration is wrong; a correct kernel survives every program. The line \
         with RIP: (on other CPUs, pc:) has the address. scripts/decode_stacktrace.sh in the kernel's sources translates it into a \
         line of C; it needs the unstripped vmlinux.",
    )
}

pub(super) fn lockup() -> Words {
    Words::new(
        "lockup",
        "a CPU was stuck in the kernel (a lockup)",
        "The stack trace below the message shows the code that the CPU was running. On a very busy host the guest may \
         only have been slow.",
    )
}

pub(super) fn hung_task(task: Option<&str>) -> Words {
    Words::new(
        "hung-task",
        format!("{} hung in the kernel", task.unwrap_or("a process")),
        "The stack trace below the message shows the code in which the process waits, for a device or a lock.",
    )
}

pub(super) fn out_of_memory(killed: Option<&str>) -> Words {
    let killed = killed
        .map(|killed| format!(": the kernel killed {killed}"))
        .unwrap_or_default();
    Words::new(
        "out-of-memory",
        format!("the guest ran out of memory{killed}"),
        "Give the guest more memory with --memory, or make the initramfs smaller: the kernel holds its files in memory, \
         and, while it unpacks them, also the packed archive. Files in a tmpfs (/tmp, /run, /dev/shm) are in memory, too.",
    )
}
