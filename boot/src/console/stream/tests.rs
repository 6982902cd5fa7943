use super::*;

fn fed(expected: &str, pieces: &[&[u8]]) -> Console {
    let mut console = Console::new(Some(expected), false);
    pieces.iter().for_each(|piece| console.feed(piece));
    console
}

fn kinds(console: &Console) -> Vec<&'static str> {
    let findings = console.findings();
    findings.iter().map(|found| found.cause.kind()).collect()
}

#[test]
fn the_text_is_found_across_every_split() {
    let stream = b"x Hello, Hello, world!";
    for at in 0..stream.len() {
        let console = fed("Hello, world!", &[&stream[..at], &stream[at..]]);
        assert_eq!(console.seen(), Seen::Yes);
    }
}

#[test]
fn what_almost_is_the_text_is_not() {
    for almost in [
        "Hello, world",
        "Hello,world!",
        "hello, world!",
        "Hello, \r\nworld!",
        "Hello, wor\0ld!",
    ] {
        let console = fed("Hello, world!", &[almost.as_bytes()]);
        assert_eq!(console.seen(), Seen::No, "{almost}");
    }
}

#[test]
fn the_text_counts_where_programs_write() {
    const COMMAND_LINE: &str = "[    0.000000] Command line: x -- Hello, world!\r\n";
    const RUN: &str = "[    0.080000] Run /init as init process\r\n";
    for (stream, seen) in [
        (COMMAND_LINE, Seen::Elsewhere),
        ("[    0.000000] Hello, world!", Seen::Elsewhere),
        ("Hello, world!", Seen::Yes),
        (
            "Hello, [    0.300000] random: crng init done\r\nworld!",
            Seen::Yes,
        ),
        // Said by who runs before the kernel.
        ("Hello, world!\n[    0.000000] Linux version 6", Seen::Yes),
        (
            "Hello, world!\n[    0.000000] Linux version 6\n",
            Seen::Elsewhere,
        ),
        (
            "Linux version 6\nCommand line: Hello, world!\n",
            Seen::Elsewhere,
        ),
    ] {
        let mut console = fed("Hello, world!", &[stream.as_bytes()]);
        assert_eq!(console.seen(), seen, "{stream}");
        console.feed(format!("\n{RUN}Hello, world!").as_bytes());
        assert_eq!(console.seen(), Seen::Yes, "{stream}");
        let mut anywhere = Console::new(Some("Hello, world!"), true);
        anywhere.feed(stream.as_bytes());
        assert_eq!(anywhere.seen(), Seen::Yes, "{stream}");
    }
}

#[test]
fn a_panic_is_known_before_its_line_ends() {
    let mut console = Console::new(None, false);
    console.feed(b"[    0.100000] Kernel panic - not syncing");
    assert!(!console.panicked());
    console.feed(b": Attempted to kill");
    let panic = |console: &Console| console.findings().pop().unwrap().cause;
    let reason = "Attempted to kill".to_owned();
    assert_eq!(panic(&console), Cause::Panic { reason });
    // Half a status is none.
    console.feed(b" init! exitcode=0x0000");
    assert_eq!(kinds(&console), ["panic"]);
    console.feed(b"0000\r\nCPU: 0\n---[ end Kernel panic - not syncing: again ]---\nOops: 0\n");
    assert_eq!(panic(&console), Cause::InitExited { status: 0 });
    assert_eq!(kinds(&console), ["init-exited"]);
}

#[test]
fn a_kernel_that_does_not_look_at_the_initramfs_is_known() {
    const VERSION: &str = "[    0.000000] Linux version 6.12.95\n";
    const UNPACKING: &str = "[    0.020000] Unpacking initramfs...\n";
    const WITH_RAM_DISKS: &str = "[    0.020000] Trying to unpack rootfs image as initramfs...\n";
    const RUN: &str = "[    0.080000] Run /sbin/init as init process\n";
    const PANIC: &str = "[    0.080000] Kernel panic - not syncing: No working init found.\n";
    for (lines, kind) in [
        (&[VERSION, RUN, PANIC][..], "initramfs-ignored"),
        (&[VERSION, UNPACKING, RUN, PANIC], "no-init"),
        (&[VERSION, WITH_RAM_DISKS, RUN, PANIC], "no-init"),
        // It is told to be quiet, or its first messages are lost.
        (&[VERSION, PANIC], "no-init"),
        (&[RUN, PANIC], "no-init"),
        (&[PANIC], "no-init"),
    ] {
        assert_eq!(
            kinds(&fed("x", &[lines.concat().as_bytes()])),
            [kind],
            "{lines:?}"
        );
    }
}

#[test]
fn a_panic_is_known_wherever_it_begins_and_whatever_its_reason() {
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
        let console = fed("x", &[stream]);
        assert!(console.panicked());
        assert_eq!(console.findings()[0].cause.to_string(), sentence);
    }
}

#[test]
fn findings_are_kept_in_their_order_and_once_of_each_kind() {
    let mut console = Console::new(None, false);
    for index in 0..100_000 {
        console.feed(
            format!("[    0.210000] BUG: {index}\nOut of memory: Killed process {index}\n")
                .as_bytes(),
        );
    }
    assert_eq!(kinds(&console), ["oops", "out-of-memory"]);
    assert_eq!(console.findings()[0].said, "BUG: 0");
    assert!(console.oopsed());
    console.feed(b"Kernel panic - not syncing: System is deadlocked on memory\n");
    assert_eq!(kinds(&console), ["oops", "out-of-memory", "out-of-memory"]);
}

#[test]
fn the_fault_belongs_to_the_signal() {
    let fault = "traps: init[1] trap invalid opcode ip:401000 sp:7ffde202a610 error:0 in init[1000,401000+1000]";
    let panic = "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000004";
    let console = fed(
        "x",
        &[format!("[    0.690000] {fault}\r\n[    0.700000] {panic}\r\n").as_bytes()],
    );
    let killed = Cause::InitKilled {
        signal: 4,
        name: Some("SIGILL"),
        fault: Some(fault.into()),
    };
    let said = panic.into();
    assert_eq!(
        console.findings(),
        [Finding {
            cause: killed,
            said
        }]
    );
}

#[test]
fn how_far_it_came() {
    let mut console = Console::new(None, false);
    for (output, reached) in [
        ("", Reached::Nothing),
        ("SeaBIOS", Reached::Output),
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
        console.feed(output.as_bytes());
        assert_eq!(console.reached(), reached, "{output}");
    }
}

#[test]
fn the_last_line_is_the_last_with_something_on_it() {
    assert_eq!(fed("x", &[]).last_line(), None);
    assert_eq!(fed("x", &[b"one\r\n\r\n \n"]).last_line().unwrap(), "one");
    assert_eq!(fed("x", &[b"one\n# "]).last_line().unwrap(), "#");
}

#[test]
fn the_last_words_of_programs_are_kept_apart_from_the_kernels() {
    let console = fed(
        "x",
        &[
            b"one\ntwo\n\nthr[    0.300000] random: crng init done\r\nee\r\n",
            b"[    0.400000] Run /init as init process\n \x1b[31mfo",
            b"ur\x1b[m",
        ],
    );
    assert_eq!(console.said(), ["two", "three", "four"]);
    let console = fed("x", &[b"SeaBIOS\n[    0.000000] Linux version 6\n"]);
    assert_eq!(console.said(), [""; 0]);
}

#[test]
fn nothing_from_the_guest_reaches_a_sentence_raw() {
    let console = fed("x", &[b"\x1b[31mred\x07\0 \xff\n"]);
    assert_eq!(console.last_line().unwrap(), "red \u{fffd}");
    assert!(console.escapes());
    let console = fed(
        "x",
        &[b"Initramfs unpacking failed: \x1b[31m\xc2\x9b1m\xff\n"],
    );
    let finding = &console.findings()[0];
    assert_eq!(finding.said, "Initramfs unpacking failed: \u{fffd}");
}

#[test]
fn endless_output_is_forgotten() {
    let mut console = fed("end", &[]);
    for _ in 0..10_000 {
        console.feed(&[b'e'; 100]);
    }
    console.feed(b"Kernel panic - not syncing: late");
    assert!(console.line.capacity() <= 2 * LINE);
    assert_eq!(
        console.findings()[0].cause.to_string(),
        "kernel panic: late"
    );
    console.feed(b"\nend");
    assert_eq!(console.seen(), Seen::Yes);
}
