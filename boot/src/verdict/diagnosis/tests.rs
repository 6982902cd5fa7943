use super::init::is_fault_of_init;
use super::*;

/// The kind of the finding in a message, and its other fields.
fn parsed(message: &str) -> Option<(String, String)> {
    let finding = finding(message)?;
    assert_eq!(finding.said, message);
    let mut json = serde_json::to_value(&finding.cause).unwrap();
    json.as_object_mut().unwrap().remove("kind");
    Some((finding.cause.words().kind.to_owned(), json.to_string()))
}

/// Messages, with the kind and the other fields of their findings. Most messages without a comment occur in
/// checks/boot/broken.nix; the others are from the kernel's sources.
#[rustfmt::skip] // A table.
const UNDERSTOOD: &[(&str, &str, &str)] = &[
    ("Initramfs unpacking failed: read error", "unpacking-failed", r#"{"reason":"read error"}"#),
    // With CONFIG_BLK_DEV_RAM.
    ("rootfs image is not initramfs (compression method zstd not configured); looks like an initrd", "unpacking-failed", r#"{"reason":"compression method zstd not configured"}"#),
    ("rootfs image is not initramfs (Decoding failed); looks like an initrd", "unpacking-failed", r#"{"reason":"Decoding failed"}"#),
    // mips, riscv; init/initramfs.c
    ("Initrd not found or empty - disabling initrd", "initramfs-ignored", "{}"),
    ("INITRD: 0x48000000+0x00100000 is not a memory region - disabling initrd", "initramfs-ignored", "{}"),
    ("Failed to execute /init (error -8)", "init-not-started", r#"{"error":8,"path":"/init"}"#),
    // With rdinit=.
    ("Failed to execute /a (b) c (error -13)", "init-not-started", r#"{"error":13,"path":"/a (b) c"}"#),
    ("Starting init: /sbin/init exists but couldn't execute it (error -2)", "init-not-started", r#"{"error":2,"path":"/sbin/init"}"#),
    // With CONFIG_DEFAULT_INIT.
    ("Default init /bin/x failed (error -2)", "no-init", r#"{"path":"/bin/x"}"#),
    // Linux 6.17 and later.
    ("check access for rdinit=/init failed: -2, ignoring", "no-init", r#"{"path":"/init"}"#),
    ("Warning: unable to open an initial console.", "no-console", "{}"),
    ("Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000000", "init-exited", r#"{"status":0}"#),
    ("Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000700", "init-exited", r#"{"status":7}"#),
    // A letter of a program is mixed into the message.
    ("Kernel panic - not syncing: Attempted to kill iniet! exitcode=0x00006500", "init-exited", r#"{"status":101}"#),
    ("Kernel panic - not syncing: Attempted to kill the idle task!", "panic", r#"{"reason":"Attempted to kill the idle task!"}"#),
    ("Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000004", "init-killed", r#"{"fault":null,"name":"SIGILL","signal":4}"#),
    ("Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000008b", "init-killed", r#"{"fault":null,"name":"SIGSEGV","signal":11}"#),
    ("Kernel panic - not syncing: No working init found.  Try passing init= option to kernel. See Linux \
     Documentation/admin-guide/init.rst for guidance.", "no-init", r#"{"path":null}"#),
    ("Kernel panic - not syncing: Requested init /nothing failed (error -2).", "no-init", r#"{"path":"/nothing"}"#),
    // A kernel without CONFIG_BLK_DEV_INITRD, or with CONFIG_BLOCK and no /init.
    ("Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)", "no-root", "{}"),
    ("Kernel panic - not syncing: VFS: Unable to mount root fs on \"\" or unknown-block(0,0)", "no-root", "{}"),
    ("Kernel panic - not syncing: System is deadlocked on memory", "out-of-memory", "{}"),
    ("Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled", "out-of-memory", "{}"),
    ("Out of memory and no killable processes...", "out-of-memory", "{}"),
    ("Out of memory: Killed process 2 (init) total-vm:123456kB, anon-rss:123456kB, file-rss:0kB, shmem-rss:0kB, UID:0 \
         pgtables:276kB oom_score_adj:0", "out-of-memory", r#"{"killed":"init (process 2), which used 120 MiB"}"#),
    // Before Linux 4.19.
    ("Out of memory: Kill process 57 (x) score 9 or sacrifice child", "out-of-memory", r#"{"killed":"x (process 57)"}"#),
    ("Kernel panic - not syncing: Fatal exception", "panic", r#"{"reason":"Fatal exception"}"#),
    ("Oops: invalid opcode: 0000 [#1]", "oops", "{}"),
    ("BUG: kernel NULL pointer dereference, address: 0000000000000000", "oops", "{}"),
    ("BUG: unable to handle page fault for address: ffffffffdeadbeef", "oops", "{}"),
    ("Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP NOPTI", "oops", "{}"),
    ("Oops: Oops: 0002 [#1]", "oops", "{}"),
    // With CONFIG_DEBUG_BUGVERBOSE, CONFIG_DEBUG_ATOMIC_SLEEP.
    ("kernel BUG at mm/slub.c:4242!", "oops", "{}"),
    ("BUG: sleeping function called from invalid context at kernel/locking/mutex.c:283", "oops", "{}"),
    // Before Linux 6.10.
    ("general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP", "oops", "{}"),
    ("general protection fault: 0000 [#1] SMP", "oops", "{}"),
    ("invalid opcode: 0000 [#1] SMP", "oops", "{}"),
    ("divide error: 0000 [#1] SMP", "oops", "{}"),
    // arch/arm64, arch/riscv.
    ("Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000", "oops", "{}"),
    ("Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP", "oops", "{}"),
    ("Oops [#1]", "oops", "{}"),
    // With CONFIG_SOFTLOCKUP_DETECTOR, CONFIG_HARDLOCKUP_DETECTOR, CONFIG_WQ_WATCHDOG; SMP; CONFIG_DETECT_HUNG_TASK.
    ("watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [init:1]", "lockup", "{}"),
    ("BUG: soft lockup - CPU#0 stuck for 22s! [swapper:1]", "lockup", "{}"),
    ("watchdog: Watchdog detected hard LOCKUP on cpu 0", "lockup", "{}"),
    ("BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 31s!", "lockup", "{}"),
    ("rcu: INFO: rcu_sched self-detected stall on CPU", "lockup", "{}"),
    ("rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", "lockup", "{}"),
    ("INFO: rcu_sched self-detected stall on CPU", "lockup", "{}"),
    ("Kernel panic - not syncing: softlockup: hung tasks", "lockup", "{}"),
    ("Kernel panic - not syncing: Hard LOCKUP", "lockup", "{}"),
    ("Kernel panic - not syncing: RCU Stall", "lockup", "{}"),
    ("INFO: task init:1 blocked for more than 120 seconds.", "hung-task", r#"{"task":"init (process 1)"}"#),
    ("INFO: task a:b:17 blocked in I/O wait for more than 120 seconds.", "hung-task", r#"{"task":"a:b (process 17)"}"#),
    ("watchdog: CPU1: Watchdog detected hard LOCKUP on cpu 0", "lockup", "{}"),
    ("Kernel panic - not syncing: hung_task: blocked tasks", "hung-task", "{}"),
];

#[test]
fn every_message_is_understood() {
    for &(message, kind, tells) in UNDERSTOOD {
        let expected = Some((kind.to_owned(), tells.to_owned()));
        assert_eq!(parsed(message), expected, "{message}");
    }
}

#[test]
fn other_messages_are_ignored() {
    for message in [
        "",
        "Unpacking initramfs...",
        "Run /init as init process",
        "Failed to execute /in",
        "Failed to execute /init (error -x)",
        "Command line: console=ttyS0 Oops: x",
        "Memory cgroup out of memory: Killed process 2 (x)",
        "INFO: task management is on",
        "rcu: INFO: Stall ended before state dump start",
        // Messages of the kernel about a program.
        "traps: init[1] general protection fault ip:401000 sp:7ffd error:0 in init[1000,401000+1000]",
        "general protection fault: x",
        "WARNING: CPU: 0 PID: 1 at kernel/x.c:1",
        "BUG: memory leak",
        "---[ end Kernel panic - not syncing: x ]---",
    ] {
        assert_eq!(parsed(message), None, "{message}");
    }
}

#[test]
fn only_faults_of_pid_1_count() {
    for (message, is) in [
        (
            "traps: init[1] trap divide error ip:401004 sp:7fff8844e150 error:0 in init[1004,401000+1000]",
            true,
        ),
        (
            "init[1]: segfault at 0 ip 0000000000401002 sp 00007ffca99af850 error 6 in init[1002,401000+1000]",
            true,
        ),
        ("traps: sh[12] trap invalid opcode ip:401000", false),
        ("sh[21]: segfault at 0 ip 0000000000401002", false),
    ] {
        assert_eq!(is_fault_of_init(message), is, "{message}");
    }
}

/// The beginnings of the messages of Linux are in the files that the tables name. A table may split a message at a place where the
/// sources have a parameter, and the kernel writes `watchdog: ` and the like in front of some.
#[test]
#[ignore = "needs a tree of Linux: LINUX=DIR cargo test -p boot --lib messages_of_linux -- --ignored"]
fn the_messages_of_linux_are_in_its_sources() {
    let tree = std::path::PathBuf::from(std::env::var_os("LINUX").expect("LINUX=DIR names a tree"));
    let rows = TABLES.iter().chain(PANICS).flat_map(|rows| rows.iter());
    // Others are "PROJECT: FILE", or of an older Linux.
    let of_linux = rows.filter(|row| !row.source.contains([':', ',']));
    let mut missing = Vec::new();
    let mut found = 0;
    for row in of_linux {
        let file = std::fs::read_to_string(tree.join(row.source)).unwrap_or_default();
        let file = file.replace("\\\"", "\"");
        let after_prefix = row.text.split_once(": ").map_or(row.text, |(_, rest)| rest);
        let is_there = |text: &str| !text.is_empty() && file.contains(text.trim_end());
        match is_there(row.text) || is_there(after_prefix) {
            true => found += 1,
            false => missing.push(format!("{}: {:?}", row.source, row.text)),
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(found > 30, "{found}");
}
