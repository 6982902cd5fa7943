use super::*;
use crate::console::stream::Console;

/// A console and its findings.
struct Guest {
    console: Console,
    findings: Findings,
}

impl Guest {
    fn new() -> Self {
        Guest {
            console: Console::new(None, false),
            findings: Findings::default(),
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.console
            .feed(bytes, |message| self.findings.take(message));
    }

    fn list(&self) -> Vec<Finding> {
        self.findings.list(&self.console.unfinished())
    }
}

fn fed(bytes: &[u8]) -> Guest {
    let mut guest = Guest::new();
    guest.feed(bytes);
    guest
}

fn kinds(guest: &Guest) -> Vec<&'static str> {
    guest
        .list()
        .iter()
        .map(|found| found.cause.words().kind)
        .collect()
}

#[test]
fn a_panic_is_recognised_before_its_line_ends() {
    let mut guest = Guest::new();
    guest.feed(b"[    0.100000] Kernel panic - not syncing");
    assert!(!guest.console.panicked());
    guest.feed(b": Attempted to kill");
    let panic = |guest: &Guest| guest.list().pop().unwrap().cause;
    let reason = "Attempted to kill".to_owned();
    assert_eq!(panic(&guest), Cause::Panic { reason });
    // An incomplete status does not count.
    guest.feed(b" init! exitcode=0x0000");
    assert_eq!(kinds(&guest), ["panic"]);
    guest.feed(b"0000\r\nCPU: 0\n---[ end Kernel panic - not syncing: again ]---\nOops: 0\n");
    assert_eq!(panic(&guest), Cause::InitExited { status: 0 });
    assert_eq!(kinds(&guest), ["init-exited"]);
}

#[test]
fn a_kernel_that_ignores_the_initramfs_is_recognised() {
    const VERSION: &str = "[    0.000000] Linux version 6.12.95\n";
    const UNPACKING: &str = "[    0.020000] Unpacking initramfs...\n";
    const WITH_RAM_DISKS: &str = "[    0.020000] Trying to unpack rootfs image as initramfs...\n";
    const RUN: &str = "[    0.080000] Run /sbin/init as init process\n";
    const PANIC: &str = "[    0.080000] Kernel panic - not syncing: No working init found.\n";
    for (lines, kind) in [
        (&[VERSION, RUN, PANIC][..], "initramfs-ignored"),
        (&[VERSION, UNPACKING, RUN, PANIC], "no-init"),
        (&[VERSION, WITH_RAM_DISKS, RUN, PANIC], "no-init"),
        // The kernel is quiet, or its first messages are lost.
        (&[VERSION, PANIC], "no-init"),
        (&[RUN, PANIC], "no-init"),
        (&[PANIC], "no-init"),
    ] {
        assert_eq!(kinds(&fed(lines.concat().as_bytes())), [kind], "{lines:?}");
    }
}

#[test]
fn a_panic_is_recognised_anywhere_and_with_any_reason() {
    for (stream, sentence) in [
        (
            &b"login: Kernel panic - not syncing: x\n"[..],
            "kernel panic: x",
        ),
        (
            b"login: [    1.000000] Kernel panic - not syncing: x",
            "kernel panic: x",
        ),
        (b"Kernel panic - not syncing: \n", "kernel panic: "),
        (b"Kernel panic - not syncing:", "kernel panic: "),
    ] {
        let guest = fed(stream);
        assert!(guest.console.panicked());
        assert_eq!(guest.list()[0].cause.words().sentence, sentence);
    }
}

#[test]
fn findings_are_kept_in_their_order_and_once_of_each_kind() {
    let mut guest = Guest::new();
    for index in 0..100_000 {
        guest.feed(
            format!("[    0.210000] BUG: {index}\nOut of memory: Killed process {index}\n")
                .as_bytes(),
        );
    }
    assert_eq!(kinds(&guest), ["oops", "out-of-memory"]);
    assert_eq!(guest.list()[0].said, "BUG: 0");
    assert!(guest.findings.has_oops());
    guest.feed(b"Kernel panic - not syncing: System is deadlocked on memory\n");
    assert_eq!(kinds(&guest), ["oops", "out-of-memory", "out-of-memory"]);
}

#[test]
fn the_fault_belongs_to_the_signal() {
    let fault = "traps: init[1] trap invalid opcode ip:401000 sp:7ffde202a610 error:0 in init[1000,401000+1000]";
    let panic = "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000004";
    let guest = fed(format!("[    0.690000] {fault}\r\n[    0.700000] {panic}\r\n").as_bytes());
    let killed = Cause::InitKilled {
        signal: 4,
        name: Some("SIGILL"),
        fault: Some(fault.into()),
    };
    let said = panic.into();
    assert_eq!(
        guest.list(),
        [Finding {
            cause: killed,
            said,
            line: None
        }]
    );
}

#[test]
fn the_reached_stage_follows_the_messages() {
    let mut guest = Guest::new();
    for (output, reached) in [
        ("", Reached::Nothing),
        ("SeaBIOS", Reached::Nothing),
        (
            "\n[    0.000000] Linux version 6.12.95 (nobody@nowhere)\n",
            Reached::Kernel,
        ),
        (
            "[    0.000000] Command line: Run /init as init process?\n",
            Reached::Kernel,
        ),
        (
            "[    0.310000] Run /init as init process\r\n",
            Reached::Init,
        ),
        ("[    1.000000] Linux version 6\n", Reached::Init),
    ] {
        guest.feed(output.as_bytes());
        assert_eq!(guest.findings.reached(), reached, "{output}");
    }
}
